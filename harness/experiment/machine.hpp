// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "harness/record/run.hpp"

namespace waggle::experiment {

/// CPU time of the whole machine since it started, in nanoseconds by kind (/proc/stat, proc(5)): "user", "system",
/// "softirq", "steal" … Softirq work is billed to no process, so only this shows it. The kernel counts in ticks.
using MachineTimes = std::map<std::string, std::uint64_t>;
MachineTimes read_machine();
/// What passed between two readings.
record::Machine passed(const MachineTimes& before, const MachineTimes& after);

/// Share of all CPU time between two readings that the hypervisor gave to others (0…1).
double steal_share(const MachineTimes& before, const MachineTimes& after);

}  // namespace waggle::experiment
