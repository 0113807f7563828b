// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json.hpp>

/// What was granted is what held while a run was measured, not what a datapath was told when it opened. A mode whose
/// grant has changed says by "before" what it was, several values in the order in which they came.
namespace waggle::experiment {

/// The facts of one side as they were at the end of the measured window, with what had changed since its `start`.
nlohmann::json since(const nlohmann::json& start, nlohmann::json end);
/// The facts of both sides over several runs: those of the latest, with what was different in the `earlier` ones, which
/// may be null.
nlohmann::json over_runs(const nlohmann::json& earlier, nlohmann::json latest);

}  // namespace waggle::experiment
