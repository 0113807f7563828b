// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "harness/experiment/spec.hpp"
#include "harness/suite/estimate.hpp"

namespace waggle::suite {

/// Makes an experiment one of about `seconds`, for who cannot wait longer: as many runs of each pair as that allows, of
/// which there must be enough to tell the best apart. Where they do not fit, each moves less: half of the file, half as
/// often, or for half of the time, and again, down to 16 MiB, 500 times and half a second; where that is not enough
/// either there are fewer runs, at least three. `spec` is settled and has its pairs. Returns what it will take.
Estimate shorten(experiment::Spec& spec, double seconds);

}  // namespace waggle::suite
