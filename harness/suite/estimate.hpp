// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>

#include "harness/suite/suite.hpp"

namespace waggle::suite {

/// What an experiment will take. Times are rough: of payload at the speed of a memory copy, and what a run needs
/// besides as it is on a small machine. What is certain is the budget, which bounds the timed runs.
struct Estimate {
  std::uint64_t contestants = 0;  ///< that fit the experiment and are not known to be missing here
  std::uint64_t runs = 0;         ///< of all of them together, warm-up and probed ones included
  double seconds = 0;

  Estimate& operator+=(const Estimate& other);
};

Estimate estimate(const Planned& experiment);
Estimate estimate(std::span<const Planned> experiments);

/// More than so many runs are asked about first.
inline constexpr std::uint64_t kManyRuns = 10'000;

/// Fault::usage with the time that they take when there are more than kManyRuns, which somebody has to mean.
Result<> check_meant(const Estimate& all);

}  // namespace waggle::suite
