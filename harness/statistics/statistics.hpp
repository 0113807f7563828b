// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/record/figures.hpp"

/// What few values tell: medians with intervals, and which quantiles so many samples carry.
namespace waggle::statistics {

/// The confidence that intervals of the median are made for, as far as the number of values can give it.
constexpr double kConfidence = 0.95;

/// Median of the values, 0 when there are none. The mean of the two middle ones when their number is even.
double median(std::vector<double> values);

/// Mean of the values, 0 when there are none.
double mean(const std::vector<double>& values);

/// How often `comparisons` intervals of interval_of() all hold the true medians of so many independent values each, at
/// most kConfidence: the whole range of 3 values covers 0.75, of 4 0.875, of 5 0.9375, and 6 are enough for one
/// (H. A. David, "Order Statistics", 1970, 2.5); for more by Bonferroni's inequality. Below 0.5 there is no interval.
double coverage(std::size_t values, std::size_t comparisons = 1);

/// The fewest values of which `comparisons` intervals cover kConfidence together: 6, 7 for 3, 11 for 45.
std::size_t least_covering(std::size_t comparisons = 1);

/// Comparisons among which the one with the best is chosen, when it is not known beforehand which of `candidates` is
/// the best: that of every two. The best of ten equals is always better than some by chance.
std::size_t comparisons_among(std::size_t candidates);

/// Median with its confidence interval of `values`, in the order in which they were measured: the one between two order
/// statistics, which assumes nothing of how values are distributed and holds the median at least kConfidence of the
/// time (David, 2.5), and as one of `comparisons` such intervals all of theirs. Where neighbouring values are alike
/// beyond chance, as on a machine that drifts, they tell less than their number: from 10 values on the interval is
/// widened by the root of (1 + r) / (1 - r), r their correlation (first-order autoregression), at most threefold. That
/// mends most of it and not all; of fewer values, and of a drift that is slower than all of them together, nothing can
/// be known.
record::Interval interval_of(const std::vector<double>& values, std::size_t comparisons = 1);

/// True when so many samples carry a quantile: at least 10 lie beyond it, and the median has at least 6.
bool carries(std::uint64_t samples, double quantile);

}  // namespace waggle::statistics
