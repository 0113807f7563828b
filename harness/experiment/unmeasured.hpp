// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "harness/experiment/spec.hpp"

namespace waggle::experiment {

/// The record of an experiment that could not begin: no runs, and for every contestant the reason, its own or `why`.
/// Those that this machine cannot run are unavailable, of any other fault they are failed. Fault::usage for a spec
/// whose workload or datapaths do not exist.
Result<record::Record> unmeasured(const Spec& spec, const Error& why);

}  // namespace waggle::experiment
