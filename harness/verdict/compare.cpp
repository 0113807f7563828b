// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/compare.hpp"

#include <algorithm>
#include <cmath>

#include "harness/statistics/statistics.hpp"

namespace waggle::verdict {
namespace {

/// More than so many runs nobody makes: where they would be needed, the two are alike.
constexpr double kMostRuns = 1000;

Range scaled(const Range& range, double factor) {
  return {range.low * factor, range.middle * factor, range.high * factor};
}

Outcome opposite(Outcome outcome) {
  return outcome == Outcome::holds           ? Outcome::does_not_hold
         : outcome == Outcome::does_not_hold ? Outcome::holds
                                             : outcome;
}

Outcome at_most(const Range& figure, const Range& bound) {
  return figure.high <= bound.low  ? Outcome::holds
         : figure.low > bound.high ? Outcome::does_not_hold
                                   : Outcome::not_shown;
}

Outcome less_than(const Range& figure, const Range& bound) {
  return figure.high < bound.low    ? Outcome::holds
         : figure.low >= bound.high ? Outcome::does_not_hold
                                    : Outcome::not_shown;
}

/// Both must hold.
Outcome both(Outcome a, Outcome b) {
  return a == Outcome::does_not_hold || b == Outcome::does_not_hold ? Outcome::does_not_hold
         : a == Outcome::holds && b == Outcome::holds               ? Outcome::holds
                                                                    : Outcome::not_shown;
}

/// The edges that the figure must be on one side of.
std::vector<Range> edges(const Comparison& c) {
  if (c.is != Is::about) {
    return {c.bound};
  }
  return {scaled(c.bound, 1 - c.within), scaled(c.bound, 1 + c.within)};
}

/// 1 when the two ranges do not overlap.
double overlap(const Range& figure, const Range& edge) {
  const double distance = std::abs(figure.middle - edge.middle);
  const bool above = figure.middle > edge.middle;
  const double reach = above ? (figure.middle - figure.low) + (edge.high - edge.middle)
                             : (figure.high - figure.middle) + (edge.middle - edge.low);
  return reach <= distance ? 1 : reach / distance;
}

}  // namespace

Outcome judge(const Comparison& c) {
  switch (c.is) {
    case Is::at_most: return at_most(c.figure, c.bound);
    case Is::less_than: return less_than(c.figure, c.bound);
    case Is::more_than: return opposite(at_most(c.figure, c.bound));
    case Is::at_least: return opposite(less_than(c.figure, c.bound));
    case Is::about: break;
  }
  return both(opposite(less_than(c.figure, scaled(c.bound, 1 - c.within))),
              at_most(c.figure, scaled(c.bound, 1 + c.within)));
}

std::optional<double> narrower(const Comparison& c) {
  double most = 1;
  for (const Range& edge : edges(c)) {
    most = std::max(most, overlap(c.figure, edge));
  }
  return std::isfinite(most) ? std::optional(most) : std::nullopt;
}

std::optional<std::size_t> runs_more(const Comparison& comparison, std::size_t runs) {
  const auto factor = narrower(comparison);
  const double needed = factor ? static_cast<double>(runs) * *factor * *factor : INFINITY;
  if (needed - static_cast<double>(runs) > kMostRuns) {
    return std::nullopt;
  }
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(needed)) - runs);
}

std::optional<Range> deciding(const record::Interval& interval) {
  const double covered = interval.coverage.value_or(statistics::coverage(interval.runs));
  // Of an interval that covers 95 % the record may hold 0.9500000001 or less.
  constexpr double kRounding = 1e-6;
  if (!interval.low || !interval.high || covered < statistics::kConfidence - kRounding) {
    return std::nullopt;
  }
  return Range{*interval.low, interval.median, *interval.high};
}

Range quotient(const Range& a, const Range& b) {
  return {a.low / b.high, a.middle / b.middle, a.high / b.low};
}

}  // namespace waggle::verdict
