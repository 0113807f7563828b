// SPDX-License-Identifier: BSD-2-Clause
#include "harness/statistics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace waggle::statistics {
namespace {

constexpr std::size_t kLeastValues = 3;
constexpr double kLeastBeyond = 10;
constexpr std::uint64_t kLeastForMedian = 6;
/// What holds less often is not called an interval.
constexpr double kLeastCoverage = 0.5;
/// Fewer values tell nothing about how neighbours are correlated.
constexpr std::size_t kLeastForDrift = 10;
constexpr double kMostDrift = 0.8;
/// Of values that are not alike one interval in twenty is widened, one-sided, in standard deviations.
constexpr double kBeyondChance = 1.645;

double median_of_sorted(const std::vector<double>& sorted) {
  const std::size_t n = sorted.size();
  return n == 0 ? 0 : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/// The largest k such that [k-th smallest, k-th largest] (counted from 0) misses the median with at most `tail_each` on
/// each side: below the k-th smallest lies a binomial tail of fair coins (the sign test's interval). 0, the whole
/// range, when none does.
std::size_t order_statistic(std::size_t n, double tail_each) {
  // The logarithm of P(exactly i of n lie below the median), i = 0: of thousands the probability itself is below what a
  // double can hold.
  double below = static_cast<double>(n) * std::log(0.5);
  double tail = std::exp(below);
  std::size_t k = 0;
  for (std::size_t i = 1; i < n / 2; ++i) {
    below += std::log(static_cast<double>(n - i + 1) / static_cast<double>(i));
    tail += std::exp(below);
    if (tail > tail_each) {
      break;
    }
    k = i;
  }
  return k;
}

/// Correlation of neighbours (lag 1) without its bias towards the negative (M. Kendall, Biometrika 41, 1954); 0 where
/// chance alone may have made it.
double drift_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  if (values.size() < kLeastForDrift) {
    return 0;
  }
  const double middle = mean(values);
  double together = 0;
  double each = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    each += (values[i] - middle) * (values[i] - middle);
    together += i > 0 ? (values[i] - middle) * (values[i - 1] - middle) : 0;
  }
  if (each == 0) {
    return 0;
  }
  const double seen = together / each;
  const double corrected = seen + (1 + 3 * std::max(0.0, seen)) / n;
  return corrected < kBeyondChance / std::sqrt(n) ? 0 : std::min(corrected, kMostDrift);
}

}  // namespace

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return median_of_sorted(values);
}

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double coverage(std::size_t values, std::size_t comparisons) {
  const double missed = 2 * std::pow(0.5, static_cast<double>(values)) * static_cast<double>(comparisons);
  return values < kLeastValues ? 0 : std::clamp(1 - missed, 0.0, kConfidence);
}

std::size_t least_covering(std::size_t comparisons) {
  std::size_t values = kLeastValues;
  while (coverage(values, comparisons) < kConfidence) {
    ++values;
  }
  return values;
}

std::size_t comparisons_among(std::size_t candidates) {
  return std::max<std::size_t>(1, candidates * (candidates - 1) / 2);
}

record::Interval interval_of(const std::vector<double>& values, std::size_t comparisons) {
  auto sorted = values;
  std::ranges::sort(sorted);
  const double middle = median_of_sorted(sorted);
  record::Interval interval{
      .median = middle, .low = {}, .high = {}, .runs = sorted.size(), .coverage = coverage(values.size(), comparisons)};
  if (interval.coverage < kLeastCoverage) {
    return interval;
  }
  const std::size_t k = order_statistic(sorted.size(), (1 - kConfidence) / 2 / static_cast<double>(comparisons));
  interval.drift = drift_of(values);
  const double wider = std::sqrt((1 + interval.drift) / (1 - interval.drift));
  const double low = middle - (middle - sorted[k]) * wider;
  interval.low = sorted.front() >= 0 ? std::max(0.0, low) : low;
  interval.high = middle + (sorted[sorted.size() - 1 - k] - middle) * wider;
  return interval;
}

bool carries(std::uint64_t samples, double quantile) {
  // A little less than the product, which 1 - 0.9 makes a little too small.
  return quantile <= 0.5 ? samples >= kLeastForMedian
                         : static_cast<double>(samples) * (1 - quantile) >= kLeastBeyond * (1 - 1e-9);
}

}  // namespace waggle::statistics
