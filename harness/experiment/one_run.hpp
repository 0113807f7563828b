// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <vector>

#include "harness/experiment/contestant.hpp"
#include "harness/experiment/schedule.hpp"
#include "harness/record/record.hpp"

namespace waggle::experiment {

struct RunRequest {
  RunKind kind = RunKind::timed;
  std::uint64_t bin_ns = 10'000'000;                  ///< width of the timeline's bins
  std::function<void(std::uint64_t bytes)> progress;  ///< payload bytes verified so far; may be empty
};

/// What came of a run that was verified.
struct RunDone {
  record::Run run;                   ///< but kind, order and round
  std::vector<record::Facts> facts;  ///< of its parties, in their order
};

/// One run of a contestant: fresh processes, everything warm and in place, then the measured window from the first
/// request to the last verified byte; whatever it wrote is removed again.
Result<RunDone> run_once(const Spec& spec, Site& site, const Contestant& contestant, const RunRequest& request);

}  // namespace waggle::experiment
