// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/placements.hpp"

#include <catch2/catch.hpp>

#include "harness/experiment/conditions.hpp"

using namespace waggle::experiment;
using Groups = std::vector<std::size_t>;

namespace {

std::vector<Placed> of_pair(std::size_t pair, const std::vector<double>& distances) {
  std::vector<Placed> placed;
  for (const double distance : distances) {
    placed.push_back({.pair = pair, .distance_ns = distance});
  }
  return placed;
}

std::vector<Placed> together(std::vector<Placed> some, const std::vector<Placed>& others) {
  some.insert(some.end(), others.begin(), others.end());
  return some;
}

}  // namespace

TEST_CASE("runs are grouped by ratio: whatever is half as far again is somewhere else") {
  CHECK(group_by_distance({}).empty());
  CHECK(group_by_distance({75, 80, 60, 90}) == Groups{0, 0, 0, 0});
  CHECK(group_by_distance({340, 75, 355, 80}) == Groups{1, 0, 1, 0});
  CHECK(group_by_distance({7.5, 34, 7, 900}) == Groups{0, 1, 0, 2});
  // No constant in nanoseconds, and no chain: within a group the ends are within the ratio as well.
  CHECK(group_by_distance({100, 149, 151, 220}) == Groups{0, 1, 1, 1});
  CHECK(group_by_distance({100, 140, 190, 260, 350}).back() > 0);
}

TEST_CASE("a run during which the CPUs came nearer or went apart has moved") {
  CHECK_FALSE(is_moved(75, 100));
  CHECK(is_moved(75, 340));
  CHECK(is_moved(340, 75));
}

TEST_CASE("figures come from the placement that all pairs have, however many runs others have") {
  const auto runs = together(of_pair(0, {75, 75, 75, 75, 75, 340, 340}), of_pair(1, {340, 345, 350}));
  const Grouping grouping = group_runs(runs, {true, true});
  REQUIRE(grouping.groups.size() == 2);
  CHECK(grouping.leading == 1U);
  CHECK(grouping.groups[1].runs == std::vector<std::size_t>{2, 3});
  CHECK(grouping.groups[1].lowest_ns == 340.0);
  CHECK(grouping.groups[1].highest_ns == 350.0);
  CHECK(grouping.of_run[0] == 0);
  CHECK(grouping.of_run[9] == 1);
  // A pair that failed is not waited for.
  CHECK(group_runs(runs, {true, false}).leading == 0U);
}

TEST_CASE("of equal placements the one with more runs counts, then the nearer one") {
  CHECK(group_runs(together(of_pair(0, {75, 340}), of_pair(1, {75, 340, 340})), {true, true}).leading == 1U);
  CHECK(group_runs(together(of_pair(0, {340, 75}), of_pair(1, {340, 75})), {true, true}).leading == 0U);
  CHECK_FALSE(group_runs({}, {true}).leading);
}

TEST_CASE("what is not known is a group of its own") {
  std::vector<Placed> runs = of_pair(0, {75, 80});
  runs.push_back({.pair = 0});
  const Grouping grouping = group_runs(runs, {true});
  REQUIRE(grouping.groups.size() == 2);
  CHECK(grouping.of_run == Groups{0, 0, 1});
  CHECK_FALSE(grouping.groups[1].median_ns);
  CHECK(group_runs({{.pair = 0}, {.pair = 0}}, {true}).leading == 0U);
}

TEST_CASE("the distance of a run is what both probes say, as far as they could be made") {
  waggle::record::Conditions conditions{.placement_ns = {.before = 50.0, .after = 72.0}};
  CHECK(distance_ns(conditions).value() == Approx(60));
  CHECK_FALSE(has_moved(conditions));
  conditions.placement_ns.after = 300;
  CHECK(has_moved(conditions));
  conditions.placement_ns.after = {};
  CHECK(distance_ns(conditions) == 50.0);
  CHECK_FALSE(has_moved(conditions));
  conditions.placement_ns.before = {};
  CHECK_FALSE(distance_ns(conditions));
}
