// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace waggle::experiment {

/// A median and how well it is known.
struct Interval {
  double median = 0;
  std::optional<double> low;  ///< of the confidence interval; nothing with fewer than 3 values
  std::optional<double> high;
  std::size_t runs = 0;

  /// Half the interval's width as a share of the median; nothing when there is no interval or the median is 0.
  std::optional<double> half_width() const;
};

/// Median of the values, 0 when there are none. The mean of the two middle ones when their number is even.
double median(std::vector<double> values);

/// Median with its 95 % confidence interval by the percentile bootstrap (B. Efron, "Bootstrap methods", 1979): 10,000
/// resamples from a fixed seed, so that the same values always give the same interval. Few values make that interval
/// too narrow (it covers 88 % at 7 values), so it is widened to the distribution-free one between two order
/// statistics where that is wider. From 6 values on both hold at least 95 % of the time; the whole range of 5 covers
/// 93.75 %, of 4 87.5 % and of 3 75 %.
Interval interval_of(const std::vector<double>& values);

/// When a pair has been run often enough.
struct StopRule {
  std::size_t least = 5;
  std::size_t most = 30;
  double target = 0.02;  ///< half width of the interval, as a share of the median
  double budget_seconds = 60;
};

enum class Stop { no, interval, budget, most_runs };

/// `values` are what the timed runs gave (goodput or operations per second), `spent` the seconds that they took.
Stop decide(const StopRule& rule, const std::vector<double>& values, double spent);

}  // namespace waggle::experiment
