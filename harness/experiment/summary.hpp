// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "harness/experiment/statistics.hpp"

namespace waggle::experiment {

/// What a pair's runs come to: the schema's "summary". `runs` and `model` are those of the record; at least one timed
/// run must be in it, and all must be verified. `clients`: connections per run. `group`: only timed runs of this group
/// of placements; null: all of them.
nlohmann::json summarise(const nlohmann::json& runs, const nlohmann::json& model, std::uint64_t clients, Stop stopped,
                         const nlohmann::json& group);

nlohmann::json to_json(const Interval& interval);

}  // namespace waggle::experiment
