// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "harness/experiment/record.hpp"
#include "harness/experiment/spec.hpp"

namespace waggle::experiment {

/// Fault::usage when `spec` says something that has no effect on this pair over its `link`. The pair has its receiver.
Result<> check_effect(const Spec& spec, const Pair& pair, const std::string& link);

/// A pair with its models, and with the reason when it cannot run here or not in this experiment.
PairRecord assess(const Pair& pair, const Spec& spec);

}  // namespace waggle::experiment
