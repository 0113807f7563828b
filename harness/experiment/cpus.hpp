// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace waggle::experiment {

/// CPUs that this process may run on, ascending.
std::vector<int> allowed_cpus();

/// Fault::usage, naming the `option`, when this process may not run on that CPU.
Result<> check_cpu(const std::string& option, int cpu);

/// The CPUs of server and client that --cpus names: "auto" (two cores of one L3, or the next best), "near", "far",
/// "siblings", or "N,M". `pci`: NICs of server and client, whose NUMA nodes count, or empty. Fault::usage for what
/// makes no sense, Fault::missing for what the machine has not.
Result<std::pair<int, int>> parse_cpus(const std::string& text, const std::vector<std::string>& pci);

}  // namespace waggle::experiment
