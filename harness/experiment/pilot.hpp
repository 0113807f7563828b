// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <vector>

#include "harness/record/names.hpp"

namespace waggle::experiment {

using record::Stop;

/// How many runs a pair is given. The first `least` are a pilot that decides the number, once: an interval that is
/// looked at after every run until it is narrow covers less than it says (docs/decisions/0012-a-pilot-decides.md).
struct PilotRule {
  std::size_t least = 6;
  std::size_t most = 30;
  double target = 0.02;  ///< half width of the interval, as a share of the median
  double budget_seconds = 20;
};

struct Planned {
  std::size_t runs = 0;
  Stop because = Stop::no;  ///< interval: as many as the target needs; budget, most_runs: fewer
};

/// What follows from the pilot's values (goodput or operations per second), which took `spent` seconds.
Planned plan(const PilotRule& rule, const std::vector<double>& pilot, double spent);

}  // namespace waggle::experiment
