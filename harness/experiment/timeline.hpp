// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "base/progress.hpp"
#include "harness/record/run.hpp"

namespace waggle::experiment {

/// Bytes verified in each interval from the start of the run to `end_ns`, in at most 256
/// intervals of equal length.
record::Timeline timeline_of(const Progress& progress, std::uint64_t end_ns);

/// Width of bins in nanoseconds that resolves a run of about `seconds` well and still holds one four times as long.
std::uint64_t bin_width(double seconds);

}  // namespace waggle::experiment
