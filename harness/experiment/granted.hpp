// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <vector>

#include "harness/record/contestant.hpp"

/// What was granted is what held while a run was measured, not what a datapath was told when it opened. A mode whose
/// grant has changed says by `before` what it was, several values in the order in which they came.
namespace waggle::experiment {

/// The facts of one party as they were at the end of the measured window, with what had changed since its `start`.
record::Facts since(const record::Facts& start, record::Facts end);
/// The facts of all parties over several runs: those of the latest, with what was different in the `earlier` ones,
/// which may be empty.
std::vector<record::Facts> over_runs(const std::vector<record::Facts>& earlier, std::vector<record::Facts> latest);

}  // namespace waggle::experiment
