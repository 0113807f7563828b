// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

namespace waggle::experiment {
namespace {

constexpr std::size_t kResamples = 10'000;
constexpr double kTail = 0.025;
constexpr std::size_t kLeastValues = 3;

double median_of_sorted(const std::vector<double>& sorted) {
  const std::size_t n = sorted.size();
  return n == 0 ? 0 : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/// The largest k such that [k-th smallest, k-th largest] (counted from 0) covers the median with 95 %: below the k-th
/// smallest lies a binomial tail of fair coins (the sign test's interval). 0, the whole range, when none does.
std::size_t order_statistic(std::size_t n) {
  double below = std::pow(0.5, static_cast<double>(n));  // P(exactly i of n lie below the median), i = 0
  double tail = below;
  std::size_t k = 0;
  for (std::size_t i = 1; i < n / 2; ++i) {
    below *= static_cast<double>(n - i + 1) / static_cast<double>(i);
    tail += below;
    if (tail > kTail) {
      break;
    }
    k = i;
  }
  return k;
}

std::vector<double> resampled_medians(const std::vector<double>& values) {
  std::mt19937_64 random(20'260'101);
  std::vector<double> medians(kResamples);
  std::vector<double> sample(values.size());
  for (double& resampled : medians) {
    for (double& value : sample) {
      // Multiply and shift: uniform to 2^-32, and the same with every standard library.
      value = values[((random() >> 32U) * values.size()) >> 32U];
    }
    std::ranges::sort(sample);
    resampled = median_of_sorted(sample);
  }
  std::ranges::sort(medians);
  return medians;
}

}  // namespace

std::optional<double> Interval::half_width() const {
  if (!low || !high || median == 0) {
    return std::nullopt;
  }
  return (*high - *low) / 2 / std::abs(median);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return median_of_sorted(values);
}

Interval interval_of(const std::vector<double>& values) {
  auto sorted = values;
  std::ranges::sort(sorted);
  Interval interval{.median = median_of_sorted(sorted), .low = {}, .high = {}, .runs = sorted.size()};
  if (sorted.size() < kLeastValues) {
    return interval;
  }
  const auto medians = resampled_medians(sorted);
  const auto cut = static_cast<std::size_t>(kTail * static_cast<double>(kResamples));
  const std::size_t k = order_statistic(sorted.size());
  interval.low = std::min(medians[cut], sorted[k]);
  interval.high = std::max(medians[kResamples - 1 - cut], sorted[sorted.size() - 1 - k]);
  return interval;
}

Stop decide(const StopRule& rule, const std::vector<double>& values, double spent) {
  if (values.size() < rule.least) {
    return Stop::no;
  }
  const auto width = interval_of(values).half_width();
  if (width && *width <= rule.target) {
    return Stop::interval;
  }
  if (values.size() >= rule.most) {
    return Stop::most_runs;
  }
  return spent >= rule.budget_seconds ? Stop::budget : Stop::no;
}

}  // namespace waggle::experiment
