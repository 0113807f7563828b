// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datapaths/datapath.hpp"

namespace waggle {

const std::vector<const Datapath*>& datapaths() {
  return Registry<Datapath>::instance().all();
}

Result<const Datapath*> find_datapath(std::string_view name) {
  const auto& registry = Registry<Datapath>::instance();
  if (const Datapath* found = registry.find(name)) {
    return found;
  }
  return fail(Fault::usage, fmt::format("no datapath is called '{}'", name),
              fmt::format("choose one of: {}", fmt::join(registry.names(), ", ")));
}

}  // namespace waggle
