// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <vector>

#include "harness/experiment/record.hpp"
#include "harness/experiment/site.hpp"

namespace waggle::experiment {

/// Has the agent of each host look at it before the first run.
Result<> begin_survey(const Spec& spec, Site& site);

/// What an experiment ran on, as the agents of its hosts tell it after the last run, and whether that was quiet:
/// `entries` tell what their runs met. What an agent cannot tell, since it has died, is a reason not to call it quiet.
/// Fault::cancelled alone is an error.
Result<record::Environment> end_survey(Site& site, const std::vector<Entry>& entries);

}  // namespace waggle::experiment
