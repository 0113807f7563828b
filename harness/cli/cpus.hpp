// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <utility>
#include <vector>

namespace waggle::cli {

/// CPUs that this process may run on, ascending.
std::vector<int> allowed_cpus();

/// CPUs that share a core with `cpu` (hyper-threads), itself included.
std::vector<int> siblings_of(int cpu);

/// Where server and client are pinned unless the user says otherwise: the first allowed CPU, and the next one on
/// another core; a thread of the same core if there is no other; the same CPU when it is the only one.
std::pair<int, int> default_cpus(const std::vector<int>& allowed, std::vector<int> (*siblings)(int));

}  // namespace waggle::cli
