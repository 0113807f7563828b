// SPDX-License-Identifier: BSD-2-Clause
#include "base/histogram.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace waggle {
namespace {

/// Values spread over nine powers of ten, as latencies are.
std::vector<std::uint64_t> spread_values(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(0, 9);
  std::vector<std::uint64_t> values(count);
  std::ranges::generate(values, [&] { return static_cast<std::uint64_t>(std::pow(10.0, exponent(random))); });
  return values;
}

std::uint64_t exact_quantile(std::vector<std::uint64_t> values, double quantile) {
  std::ranges::sort(values);
  const auto rank = static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

TEST_CASE("an empty histogram has no values") {
  const Histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.quantile(0.5) == 0);
  CHECK(empty.mean() == 0);
  CHECK(empty.buckets().empty());
}

TEST_CASE("quantiles are within one percent of the exact ones") {
  const auto values = spread_values(20'000, 7);
  Histogram histogram;
  for (const std::uint64_t value : values) {
    histogram.record(value);
  }
  for (const double quantile : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    INFO(quantile);
    const auto exact = static_cast<double>(exact_quantile(values, quantile));
    CHECK(std::abs(static_cast<double>(histogram.quantile(quantile)) - exact) <= 0.01 * exact);
  }
  CHECK(histogram.max() == *std::ranges::max_element(values));
  CHECK(histogram.min() == *std::ranges::min_element(values));
}

TEST_CASE("small values are exact") {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 128; ++value) {
    histogram.record(value);
  }
  CHECK(histogram.quantile(0.5) == 63);
  CHECK(histogram.mean() == Approx(63.5));
}

TEST_CASE("merging equals recording everything in one") {
  const auto values = spread_values(5'000, 11);
  Histogram all;
  Histogram first;
  Histogram second;
  for (std::size_t i = 0; i < values.size(); ++i) {
    all.record(values[i]);
    (i % 3 == 0 ? first : second).record(values[i]);
  }
  first.merge(second);
  first.merge(Histogram{});
  CHECK(first.buckets() == all.buckets());
  CHECK(first.count() == all.count());
  CHECK(first.min() == all.min());
  CHECK(first.max() == all.max());
  CHECK(first.mean() == Approx(all.mean()));

  Histogram into_empty;
  into_empty.merge(all);
  CHECK(into_empty.min() == all.min());
  CHECK(into_empty.buckets() == all.buckets());
}

TEST_CASE("buckets survive being stored and read again") {
  Histogram histogram;
  for (const std::uint64_t value : spread_values(5'000, 13)) {
    histogram.record(value);
  }
  histogram.record(UINT64_MAX);
  Histogram again;
  for (const auto& [lowest, count] : histogram.buckets()) {
    again.record(lowest, count);
  }
  CHECK(again.buckets() == histogram.buckets());
  CHECK(again.quantile(0.99) == histogram.quantile(0.99));
}

TEST_CASE("recording zero times changes nothing") {
  Histogram histogram;
  histogram.record(5, 0);
  CHECK(histogram.count() == 0);
  CHECK(histogram.max() == 0);
}

}  // namespace
}  // namespace waggle
