// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/pilot.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace waggle::experiment;

TEST_CASE("the pilot decides: as many runs as the target needs, the time allows, and the most") {
  const PilotRule rule{.least = 6, .most = 30, .target = 0.02, .budget_seconds = 10};
  const std::vector<double> steady{100, 100.5, 99.5, 100.2, 99.9, 100.1};
  const std::vector<double> uneven{100, 103, 97, 101, 99, 100};  // 2 % deviation
  const std::vector<double> wild{100, 150, 80, 120, 60, 90};
  CHECK(plan(rule, steady, 1).runs == 6);
  CHECK(plan(rule, steady, 1).because == Stop::interval);
  CHECK(plan(rule, uneven, 1).runs == 7);
  CHECK(plan(rule, uneven, 1).because == Stop::interval);
  CHECK(plan(rule, wild, 1).runs == 30);
  CHECK(plan(rule, wild, 1).because == Stop::most_runs);
  CHECK(plan(rule, wild, 6).runs == 10);
  CHECK(plan(rule, wild, 6).because == Stop::budget);
  // The pilot is made even when the time is long over.
  CHECK(plan(rule, wild, 1000).runs == 6);
  CHECK(plan(rule, wild, 1000).because == Stop::budget);
  const PilotRule fixed{.least = 3, .most = 3, .target = 0.02, .budget_seconds = 10};
  CHECK(plan(fixed, {1, 2, 3}, 1).runs == 3);
  CHECK(plan(fixed, {1, 2, 3}, 1).because == Stop::most_runs);
  CHECK(plan({.least = 1, .most = 1}, {1}, 1).runs == 1);
  CHECK(plan({.least = 1, .most = 1}, {1}, 1).because == Stop::most_runs);
  // As few as cover 95 %, even if the pilot is shorter and agrees.
  CHECK(plan({.least = 3, .most = 30}, {100, 100.1, 99.9}, 1).runs == 6);
}
