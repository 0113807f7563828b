// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/record/record.hpp"
#include "harness/report/style.hpp"

/// What a table says of where its runs were made. Records from before placement was recorded say nothing.
namespace waggle::report {

/// The group of placements whose runs count, as its index; nothing when all runs do.
std::optional<std::size_t> counted_group(const record::Record& record);

/// The group that counts, or all of them together, of a placement with at least one group.
record::PlacementGroup figures_from(const record::Placement& placement);

/// "76 ns", "74 – 81 ns", or "–" when it could not be measured.
std::string distance_text(const record::PlacementGroup& group);

/// "between CPU 0 and CPU 1, which share an L3; 16 of 18 timed runs, 1 moved midway, 1 at 340 ns".
std::string placement_note(const record::Record& record);

/// Whether the record tells where its runs were made.
bool tells_placement(const record::Record& record);

/// The line below a table, with what does not compare as a warning; empty when there is nothing to say.
std::string placement_text(const record::Record& record, const Style& style);

/// The record once for every other placement that has runs enough of all contestants: its summaries in the place of
/// those that count.
std::vector<record::Record> elsewhere(const record::Record& record);

}  // namespace waggle::report
