// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "harness/experiment/record.hpp"
#include "harness/experiment/spec.hpp"

namespace waggle::experiment {

/// A pair with its models, and with the reason when it cannot run here or not in this experiment.
PairRecord assess(const Pair& pair, const Spec& spec);

}  // namespace waggle::experiment
