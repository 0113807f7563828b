// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/answers/record_set.hpp"
#include "harness/record/figures.hpp"

namespace waggle::answers {

/// How a figure of one contestant compares with that of another one: within the rounds that both have, so that what the
/// machine did meanwhile is in both.
struct Comparison {
  std::string a;  ///< the one with more of it
  std::string b;
  std::string figure;
  record::Interval ratio;  ///< a / b; all intervals of an experiment hold together (statistics::interval_of)
  /// b / a, of its own: the median of ratios turned round is not that of the ratios, nor is an interval that a drift
  /// has widened.
  record::Interval inverse = {};
  bool differs = false;  ///< the interval does not hold 1
  std::string sentence;
};

/// Every two contestants of an experiment by `figure`, one that single runs have (report::by_round()), of the operation
/// `of` where it is one of operations. Those without a round in common are left out.
std::vector<Comparison> compare(const Experiment& experiment, std::string_view figure, std::string_view of = {});

/// Of these comparisons the one of `a` with `b`, turned round where it is of `b` with `a`; nothing when there is none.
std::optional<Comparison> between(const std::vector<Comparison>& comparisons, const std::string& a,
                                  const std::string& b);

/// "1.34 times (1.21–1.44)", with what the interval covers when that is less than 95 %.
std::string times_text(const record::Interval& ratio);

/// Whether the contestant differs from all others of the experiment, and for the better.
bool is_alone_best(const Experiment& experiment, const std::vector<Comparison>& comparisons, const std::string& label);

}  // namespace waggle::answers
