// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/record/record.hpp"

/// Between what single runs lie where they are too few for an interval: what probes count.
namespace waggle::report {

/// The least and the most that a single run had.
struct Extremes {
  double low = 0;
  double high = 0;
};

/// What a count is told for.
enum class Per { run, mebibyte, operation };

/// Of a sum of two such figures; nothing when one has none.
std::optional<Extremes> sum(const std::optional<Extremes>& a, const std::optional<Extremes>& b);

/// The probed runs of a contestant that went well.
std::vector<const record::Run*> probed_runs(const record::Contestant& contestant);

/// Of what probes saw of a party, or of all of them together, for what each of these runs moved or did; nothing where
/// no run tells of it.
std::optional<Extremes> seen(const std::vector<const record::Run*>& probed, std::optional<record::Role> party,
                             std::uint64_t record::PartyTrace::* what, Per per);

/// Of the bytes that a party has copied per byte of payload: in the kernel, by what probes saw, or in our own code.
std::optional<Extremes> copied(const std::vector<const record::Run*>& runs, record::Role party, record::Place place);

}  // namespace waggle::report
