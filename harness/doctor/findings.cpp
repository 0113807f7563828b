// SPDX-License-Identifier: BSD-2-Clause
#include "harness/doctor/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "datapaths/datapath.hpp"
#include "harness/doctor/limit_capabilities.hpp"
#include "harness/measure/placement.hpp"

namespace waggle::doctor {
namespace {

using measure::Capability;

/// Datapaths are asked one by one; each knows what it needs.
std::vector<Capability> datapath_capabilities() {
  std::vector<Capability> found;
  for (const auto* datapath : datapaths()) {
    Capability one{.name = fmt::format("datapath {}", datapath->name()),
                   .need = fmt::format("--datapath={}", datapath->name()),
                   .required = false};
    const auto available = datapath->available();
    one.works = available.has_value();
    if (!available) {
      one.why_not = available.error().what;
      one.remedy = available.error().hint;
    }
    found.push_back(std::move(one));
  }
  return found;
}

}  // namespace

Result<Distance> measure_distance(int server, int client) {
  WAGGLE_LET(nanoseconds, measure::round_trip_ns(server, client));
  return Distance{.server = server,
                  .client = client,
                  .shared = measure::CpuTopology::read().shared(server, client),
                  .round_trip_ns = nanoseconds};
}

std::vector<std::string> Findings::lacking() const {
  std::vector<std::string> names;
  for (const Capability& one : capabilities) {
    if (one.required && !one.works) {
      names.push_back(one.name);
    }
  }
  return names;
}

std::vector<Capability> find_capabilities() {
  auto all = measure::capabilities();
  std::ranges::move(limit_capabilities(), std::back_inserter(all));
  std::ranges::move(datapath_capabilities(), std::back_inserter(all));
  return all;
}

}  // namespace waggle::doctor
