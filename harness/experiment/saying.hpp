// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "base/option.hpp"
#include "base/result.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/experiment/spec_check.hpp"

/// What can be said of an experiment besides spec_options() and the options of workloads, on a command line and in a
/// suite alike.
namespace waggle::experiment {

/// Of channel_options(), those that an experiment does not decide itself.
const std::vector<OptionInfo>& channel_options_to_say();

/// "runs", which says both bounds of them.
const OptionInfo& runs_option();
/// Exactly so many timed runs. Fault::usage when something else was `said` of their number.
Result<> say_runs(Spec& spec, Said& said, std::uint64_t runs);

}  // namespace waggle::experiment
