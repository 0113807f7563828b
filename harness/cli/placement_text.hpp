// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/cli/terminal.hpp"

/// What a table says of where its runs were made. Records from before placement was recorded say nothing.
namespace waggle::cli {

/// The group of placements whose runs count, as its index; null when all runs do.
nlohmann::json counted_group(const nlohmann::json& record);

/// The group that counts, or all of them together, of a record's "placement" with at least one group.
nlohmann::json figures_from(const nlohmann::json& placement);

/// "76 ns", "74 – 81 ns", or "–" when it could not be measured.
std::string distance_text(const nlohmann::json& group);

/// "between CPU 0 and CPU 1, which share an L3; 16 of 18 timed runs, 1 moved midway, 1 at 340 ns".
std::string placement_note(const nlohmann::json& record);

/// The line below a table, with what does not compare as a warning; empty when there is nothing to say.
std::string placement_text(const nlohmann::json& record, const Style& style);

/// The record once for every other placement that has runs enough of all pairs: its summaries in the place of those
/// that count.
std::vector<nlohmann::json> elsewhere(const nlohmann::json& record);

}  // namespace waggle::cli
