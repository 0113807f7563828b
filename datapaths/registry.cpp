// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "base/suggest.hpp"
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
  const auto names = registry.names();
  const auto nearest = suggest(name, std::vector<std::string>(names.begin(), names.end()));
  return fail(Fault::usage, fmt::format("no datapath is called '{}'", name),
              fmt::format("{}choose one of: {}", nearest.empty() ? "" : fmt::format("did you mean {}? ", nearest),
                          fmt::join(names, ", ")));
}

}  // namespace waggle
