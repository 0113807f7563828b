// SPDX-License-Identifier: BSD-2-Clause
#include "harness/statistics/statistics.hpp"

#include <catch2/catch.hpp>

using namespace waggle::statistics;
using waggle::record::Interval;

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
  const Interval seven = interval_of({1, 5, 3, 7, 2, 6, 4});
  CHECK(seven.low == 1);
  CHECK(seven.high == 7);
}

TEST_CASE("many values give the interval of the tables") {
  std::vector<double> values;
  for (int i = 0; i < 25; ++i) {
    values.push_back(i * 9 % 25 + 1);  // 1 to 25, with neighbours that are not alike
  }
  const Interval interval = interval_of(values);
  CHECK(interval.median == 13);
  // Sign test, n = 25: the 8th smallest and the 8th largest (W. J. Conover, Practical Nonparametric Statistics).
  CHECK(*interval.low == Approx(8).margin(0.01));
  CHECK(*interval.high == Approx(18).margin(0.01));
}

TEST_CASE("equal values are known exactly") {
  CHECK(interval_of({5, 5, 5, 5}).half_width() == 0.0);
  CHECK(interval_of({5, 5, 5, 5, 5, 5, 5, 5}).half_width() == 0.0);
}

TEST_CASE("thousands of values make the interval narrow and not empty") {
  std::vector<double> values;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back((i * 7919) % 10'000);  // each number once, in no order
  }
  // The binomial's: 95 % of the medians lie within 98 ranks of the middle one.
  const auto interval = interval_of(values);
  CHECK(*interval.low == Approx(4901).margin(3));
  CHECK(*interval.high == Approx(5098).margin(3));
  values.resize(1'100);
  CHECK(*interval_of(values).high > *interval_of(values).low * 1.01);
}

TEST_CASE("few values cover less than 95 %, and say how much") {
  CHECK(coverage(2) == 0);
  CHECK(coverage(3) == Approx(0.75));
  CHECK(coverage(4) == Approx(0.875));
  CHECK(coverage(5) == Approx(0.9375));
  CHECK(coverage(6) == 0.95);
  CHECK(coverage(30) == 0.95);
  CHECK(interval_of({1, 2, 3, 4}).coverage == coverage(4));
}

TEST_CASE("choosing the best of several takes more values, and is said to cover less with few") {
  CHECK(comparisons_among(1) == 1);
  CHECK(comparisons_among(2) == 1);
  CHECK(comparisons_among(10) == 45);
  CHECK(coverage(6, 1) == 0.95);
  CHECK(coverage(6, 3) == Approx(1 - 6.0 / 64));
  CHECK(coverage(4, 45) == 0);
  CHECK(least_covering() == 6);
  CHECK(least_covering(3) == 7);
  CHECK(least_covering(45) == 11);
  CHECK_FALSE(interval_of({1, 2, 3, 4, 5, 6}, 45).low);  // 0
  CHECK(interval_of({1, 2, 3, 4, 5, 6}, 10).low);        // 0.69
  std::vector<double> values;
  for (int i = 0; i < 25; ++i) {
    values.push_back(i * 9 % 25 + 1);
  }
  // Tails of 0.05 / 90: the 5th smallest has one of 0.00046, the 6th one of 0.0020.
  CHECK(interval_of(values, 45).low == 5.0);
  CHECK(interval_of(values, 45).high == 21.0);
}

TEST_CASE("values that drift make the interval wider, values that jump about do not") {
  const std::vector<double> drifting{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const std::vector<double> jumping{6, 1, 9, 3, 8, 2, 10, 4, 7, 5};
  CHECK(interval_of(jumping).drift == 0);
  CHECK(interval_of(jumping).low == 2.0);
  CHECK(interval_of(drifting).drift > 0.5);
  CHECK(interval_of(drifting).median == interval_of(jumping).median);
  CHECK(*interval_of(drifting).half_width() > 1.5 * *interval_of(jumping).half_width());
  CHECK(*interval_of(drifting).low == 0);  // what cannot be negative is not
}

TEST_CASE("a percentile needs samples beyond it") {
  CHECK_FALSE(carries(5, 0.5));
  CHECK(carries(6, 0.5));
  CHECK_FALSE(carries(99, 0.9));
  CHECK(carries(100, 0.9));
  CHECK_FALSE(carries(999, 0.99));
  CHECK(carries(1000, 0.99));
  CHECK_FALSE(carries(9'999, 0.999));
  CHECK(carries(10'000, 0.999));
}
