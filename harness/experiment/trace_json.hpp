// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "harness/measure/probe.hpp"

namespace waggle::experiment {

/// The record's "trace" of a probed run.
nlohmann::json to_json(const measure::Trace& trace);

}  // namespace waggle::experiment
