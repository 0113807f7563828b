// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "base/progress.hpp"

namespace waggle::experiment {

/// The record's "timeline": bytes verified in each interval from the start of the run to `end_ns`, in at most 256
/// intervals of equal length.
nlohmann::json timeline_json(const Progress& progress, std::uint64_t end_ns);

/// Width of bins in nanoseconds that resolves a run of about `seconds` well and still holds one four times as long.
std::uint64_t bin_width(double seconds);

}  // namespace waggle::experiment
