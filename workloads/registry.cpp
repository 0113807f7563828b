// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "workloads/workload.hpp"

namespace waggle::workloads {

const std::vector<const Workload*>& workloads() {
  return Registry<Workload>::instance().all();
}

Result<const Workload*> find_workload(std::string_view name) {
  const auto& registry = Registry<Workload>::instance();
  if (const Workload* found = registry.find(name)) {
    return found;
  }
  return fail(Fault::usage, fmt::format("no workload is called '{}'", name),
              fmt::format("choose one of: {}", fmt::join(registry.names(), ", ")));
}

void Outcome::merge(const Outcome& other) {
  payload_bytes += other.payload_bytes;
  operations += other.operations;
  start_ns = start_ns == 0 ? other.start_ns : std::min(start_ns, other.start_ns);
  end_ns = std::max(end_ns, other.end_ns);
  verify_ns += other.verify_ns;
  for (const auto& [operation, histogram] : other.latency_ns) {
    latency_ns[operation].merge(histogram);
  }
}

}  // namespace waggle::workloads
