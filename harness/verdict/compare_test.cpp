// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/compare.hpp"

#include <catch2/catch.hpp>

namespace waggle::verdict {
namespace {

constexpr Range kBetween{1.1, 1.2, 1.3};

Outcome is(Is is, const Range& figure, double bound, double within = 0) {
  return judge({.is = is, .figure = figure, .bound = Range::at(bound), .within = within});
}

TEST_CASE("a whole interval decides, and one with the bound inside does not") {
  CHECK(is(Is::more_than, kBetween, 1) == Outcome::holds);
  CHECK(is(Is::more_than, kBetween, 1.2) == Outcome::not_shown);
  CHECK(is(Is::more_than, kBetween, 1.5) == Outcome::does_not_hold);
  CHECK(is(Is::less_than, kBetween, 1.5) == Outcome::holds);
  CHECK(is(Is::less_than, kBetween, 1.2) == Outcome::not_shown);
  CHECK(is(Is::less_than, kBetween, 1) == Outcome::does_not_hold);
  CHECK(is(Is::at_least, kBetween, 1) == Outcome::holds);
  CHECK(is(Is::at_most, kBetween, 1) == Outcome::does_not_hold);
}

TEST_CASE("an interval that touches the bound decides where the bound itself does") {
  CHECK(is(Is::at_least, kBetween, 1.1) == Outcome::holds);
  CHECK(is(Is::more_than, kBetween, 1.1) == Outcome::not_shown);
  CHECK(is(Is::at_most, kBetween, 1.1) == Outcome::not_shown);
  CHECK(is(Is::less_than, kBetween, 1.1) == Outcome::does_not_hold);
  CHECK(is(Is::at_most, kBetween, 1.3) == Outcome::holds);
  CHECK(is(Is::less_than, kBetween, 1.3) == Outcome::not_shown);
  CHECK(is(Is::at_least, kBetween, 1.3) == Outcome::not_shown);
  CHECK(is(Is::more_than, kBetween, 1.3) == Outcome::does_not_hold);
  for (const auto every : {Is::at_least, Is::at_most}) {
    CHECK(is(every, Range::at(2), 2) == Outcome::holds);
  }
  for (const auto every : {Is::more_than, Is::less_than}) {
    CHECK(is(every, Range::at(2), 2) == Outcome::does_not_hold);
  }
}

TEST_CASE("\"about\" has two edges") {
  CHECK(is(Is::about, {0.97, 1, 1.03}, 1, 0.05) == Outcome::holds);
  CHECK(is(Is::about, {0.94, 1, 1.03}, 1, 0.05) == Outcome::not_shown);
  CHECK(is(Is::about, {0.97, 1, 1.06}, 1, 0.05) == Outcome::not_shown);
  CHECK(is(Is::about, {1.06, 1.1, 1.2}, 1, 0.05) == Outcome::does_not_hold);
  CHECK(is(Is::about, {0.8, 0.9, 0.94}, 1, 0.05) == Outcome::does_not_hold);
  CHECK(is(Is::about, Range::at(0), 2, 0.05) == Outcome::does_not_hold);
}

TEST_CASE("a bound may be an interval as well") {
  const Comparison overlapping{.is = Is::more_than, .figure = {1, 2, 3}, .bound = {2.5, 3.5, 4.5}};
  CHECK(judge(overlapping) == Outcome::not_shown);
  CHECK(judge({.is = Is::more_than, .figure = {5, 6, 7}, .bound = {2.5, 3.5, 4.5}}) == Outcome::holds);
  CHECK(judge({.is = Is::more_than, .figure = {1, 2, 2.5}, .bound = {2.5, 3.5, 4.5}}) == Outcome::does_not_hold);
}

TEST_CASE("the runs that would decide follow from how far the interval reaches beyond the bound") {
  // Half as wide would do, which takes four times the runs.
  const Comparison twice{.is = Is::more_than, .figure = {0.9, 1.1, 1.3}, .bound = Range::at(1)};
  CHECK(narrower(twice) == Approx(2));
  CHECK(runs_more(twice, 8) == 24);
  const Comparison decided{.is = Is::more_than, .figure = {1.05, 1.1, 1.3}, .bound = Range::at(1)};
  CHECK(narrower(decided) == Approx(1));
  const Comparison alike{.is = Is::more_than, .figure = {0.9, 1.0001, 1.1}, .bound = Range::at(1)};
  CHECK_FALSE(runs_more(alike, 8));
  const Comparison equal{.is = Is::more_than, .figure = {0.9, 1, 1.1}, .bound = Range::at(1)};
  CHECK_FALSE(narrower(equal));
  CHECK_FALSE(runs_more(equal, 8));
  // Both edges are within, and the one that is nearer to the middle takes more.
  const Comparison both{.is = Is::about, .figure = {0.9, 1, 1.1}, .bound = Range::at(1), .within = 0.05};
  CHECK(narrower(both) == Approx(2));
}

TEST_CASE("an interval that covers less than 95 % decides nothing") {
  const record::Interval six{.median = 2, .low = 1, .high = 3, .runs = 6, .coverage = 0.95};
  REQUIRE(deciding(six));
  CHECK(deciding(six)->middle == 2);
  auto five = six;
  five.coverage = 0.9375;
  CHECK_FALSE(deciding(five));
  auto old = six;  // a record of version 1 does not tell
  old.coverage.reset();
  CHECK(deciding(old));
  old.runs = 5;
  CHECK_FALSE(deciding(old));
  CHECK_FALSE(deciding({.median = 2, .low = {}, .high = {}, .runs = 20, .coverage = {}}));
}

}  // namespace
}  // namespace waggle::verdict
