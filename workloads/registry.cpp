// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "workloads/workload.hpp"

namespace waggle::workloads {
namespace {

struct Registry {
  std::vector<std::unique_ptr<Workload>> owned;
  std::vector<const Workload*> sorted;
};

// Function-local: registrations run before main() in an unknown order.
Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

Registration::Registration(std::unique_ptr<Workload> workload) {
  auto& [owned, sorted] = registry();
  const auto at = std::ranges::lower_bound(sorted, workload->name(), {}, &Workload::name);
  sorted.insert(at, workload.get());
  owned.push_back(std::move(workload));
}

const std::vector<const Workload*>& workloads() {
  return registry().sorted;
}

Result<const Workload*> find_workload(std::string_view name) {
  const auto& all = workloads();
  const auto found = std::ranges::find(all, name, &Workload::name);
  if (found != all.end()) {
    return *found;
  }
  std::vector<std::string_view> names;
  std::ranges::transform(all, std::back_inserter(names), &Workload::name);
  return fail(Fault::usage, fmt::format("no workload is called '{}'", name),
              fmt::format("choose one of: {}", fmt::join(names, ", ")));
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
