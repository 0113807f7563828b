// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "harness/record/figures.hpp"
#include "harness/verdict/words.hpp"

/// When an interval decides a comparison. Numbers only; where they come from is asked elsewhere.
namespace waggle::verdict {

/// Where a value lies. All three are the same for what is no estimate.
struct Range {
  double low = 0;
  double middle = 0;
  double high = 0;
  static Range at(double value) { return {value, value, value}; }
};

/// What the rule says of a figure and what it is compared with.
struct Comparison {
  Is is = Is::about;
  Range figure;
  Range bound;
  double within = 0;  ///< "about": relative to the bound
};

/// holds: every value of the figure fits every value of the bound; does_not_hold: none fits any; otherwise not_shown.
Outcome judge(const Comparison& comparison);

/// How many times narrower the ranges would have to be to decide, if their middles stayed; 1 when they do, nothing when
/// the middles are at the edge itself.
std::optional<double> narrower(const Comparison& comparison);

/// About how many runs more that takes of `runs`, as intervals of a median become narrower with the root of their
/// number; nothing when nobody would make so many.
std::optional<std::size_t> runs_more(const Comparison& comparison, std::size_t runs);

/// The interval as a range; nothing when there is none, or when it covers less than an interval of verdicts has to
/// (statistics::kConfidence).
std::optional<Range> deciding(const record::Interval& interval);

/// The quotient of two ranges of values above 0.
Range quotient(const Range& a, const Range& b);

}  // namespace waggle::verdict
