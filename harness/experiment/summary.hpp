// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/record/record.hpp"

namespace waggle::experiment {

/// What the runs of a contestant come to, of which `parties` are those of the record, with their models, in the order
/// in which runs have them. At least one timed run must be in it, and all must be verified. `clients`: connections per
/// run. `group`: only timed runs of this group of placements; nothing: all of them. The ratio is left open.
record::Summary summarise(const std::vector<record::Run>& runs, const std::vector<record::Participant>& parties,
                          std::uint64_t clients, record::Stop stopped, std::optional<std::size_t> group);

/// The interval of interval_of(), one of `comparisons`; what it covers is told of one that there is.
record::Interval covered_interval(const std::vector<double>& values, std::size_t comparisons = 1);

}  // namespace waggle::experiment
