// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/pilot.hpp"

#include <algorithm>
#include <cmath>

#include "harness/statistics/statistics.hpp"

namespace waggle::experiment {
namespace {

/// Two runs tell too little of how much they vary.
constexpr std::size_t kLeastForDeviation = 3;

}  // namespace

Planned plan(const PilotRule& rule, const std::vector<double>& pilot, double spent) {
  const double middle = statistics::mean(pilot);
  double squares = 0;
  for (const double value : pilot) {
    squares += (value - middle) * (value - middle);
  }
  const bool known = pilot.size() >= kLeastForDeviation && rule.target > 0;
  const double deviation = known ? std::sqrt(squares / static_cast<double>(pilot.size() - 1)) : 0;
  // The median of n normal values varies by sqrt(pi / 2) times the deviation of their mean; 1.96 of that on each side.
  constexpr double kHalf = 1.96 * 1.2533;
  const double half = middle != 0 ? kHalf * deviation / std::abs(middle) : 0;
  constexpr double kAny = 1e9;
  const double needed = known ? std::max(static_cast<double>(statistics::least_covering()),
                                         std::ceil(half * half / (rule.target * rule.target)))
                              : kAny;
  const double afford = spent > 0 ? std::floor(rule.budget_seconds / spent * static_cast<double>(pilot.size())) : kAny;
  const auto least = static_cast<double>(rule.least);
  const auto most = static_cast<double>(std::max(rule.least, rule.most));
  const double runs = std::clamp(std::min(needed, afford), least, most);
  const Stop because = needed <= runs                   ? Stop::interval
                       : runs < most && afford < needed ? Stop::budget
                                                        : Stop::most_runs;
  return {.runs = static_cast<std::size_t>(runs), .because = because};
}

}  // namespace waggle::experiment
