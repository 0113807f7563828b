// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/statistics.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

using namespace waggle::experiment;

TEST_CASE("the median is the middle value, or the mean of the two") {
  CHECK(median({}) == 0);
  CHECK(median({7}) == 7);
  CHECK(median({9, 1, 5}) == 5);
  CHECK(median({1, 2, 10, 4}) == 3);
}

TEST_CASE("one or two values have no interval") {
  for (const auto& values : {std::vector<double>{4}, std::vector<double>{4, 6}}) {
    const Interval interval = interval_of(values);
    CHECK_FALSE(interval.low);
    CHECK_FALSE(interval.high);
    CHECK_FALSE(interval.half_width());
    CHECK(interval.runs == values.size());
  }
}

TEST_CASE("few values give their whole range") {
  const Interval five = interval_of({3, 1, 2, 5, 4});
  CHECK(five.median == 3);
  CHECK(five.low == 1);
  CHECK(five.high == 5);
  CHECK(*five.half_width() == Approx(2.0 / 3));
  // The bootstrap alone would say 2 to 6 here, which covers only 88 %.
  const Interval seven = interval_of({1, 2, 3, 4, 5, 6, 7});
  CHECK(seven.low == 1);
  CHECK(seven.high == 7);
}

TEST_CASE("many values give the interval of the tables") {
  std::vector<double> values(25);
  std::iota(values.begin(), values.end(), 1.0);
  const Interval interval = interval_of(values);
  CHECK(interval.median == 13);
  // Sign test, n = 25: the 8th smallest and the 8th largest (W. J. Conover, Practical Nonparametric Statistics).
  CHECK(*interval.low == Approx(8).margin(0.01));
  CHECK(*interval.high == Approx(18).margin(0.01));
}

TEST_CASE("equal values are known exactly, and the same values give the same interval") {
  CHECK(interval_of({5, 5, 5, 5}).half_width() == 0.0);
  const std::vector<double> values{8, 1, 6, 3, 5, 7, 4, 9, 9.5, 2};
  CHECK(interval_of(values).low == interval_of(values).low);
  CHECK(interval_of(values).high == interval_of(values).high);
}

TEST_CASE("95 of 100 intervals hold the true median, also of a skewed distribution") {
  constexpr int kTrials = 400;
  for (const std::size_t runs : {std::size_t{6}, std::size_t{7}, std::size_t{14}, std::size_t{30}}) {
    std::mt19937_64 random(runs);
    std::exponential_distribution<double> skewed(1.0);
    int held = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<double> values(runs);
      for (double& value : values) {
        value = skewed(random);
      }
      const Interval interval = interval_of(values);
      held += *interval.low <= std::log(2) && std::log(2) <= *interval.high ? 1 : 0;
    }
    INFO(runs << " values: " << held << " of " << kTrials);
    // 95 % less three standard deviations of such a simulation.
    CHECK(held >= kTrials * 0.917);
  }
}

TEST_CASE("the stop rule looks at the interval, then at the number of runs and at the time") {
  const StopRule rule{.least = 5, .most = 8, .target = 0.02, .budget_seconds = 10};
  const std::vector<double> steady{100, 100.5, 99.5, 100.2, 99.9};
  const std::vector<double> wild{100, 150, 80, 120, 60};
  CHECK(decide(rule, {100, 100, 100, 100}, 1) == Stop::no);
  CHECK(decide(rule, steady, 1) == Stop::interval);
  CHECK(decide(rule, wild, 1) == Stop::no);
  CHECK(decide(rule, wild, 10) == Stop::budget);
  CHECK(decide(rule, {100, 150, 80, 120, 60, 70, 110, 90}, 1) == Stop::most_runs);
  // The least number is made even when the time is long over.
  CHECK(decide(rule, {100, 150}, 1000) == Stop::no);
}
