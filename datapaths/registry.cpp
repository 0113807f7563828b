// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "datapaths/datapath.hpp"

namespace waggle {
namespace {

struct Registry {
  std::vector<std::unique_ptr<Datapath>> owned;
  std::vector<const Datapath*> sorted;
};

// Function-local: registrations run before main() in an unknown order.
Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

Registration::Registration(std::unique_ptr<Datapath> datapath) {
  auto& [owned, sorted] = registry();
  const auto at = std::ranges::lower_bound(sorted, datapath->name(), {}, &Datapath::name);
  sorted.insert(at, datapath.get());
  owned.push_back(std::move(datapath));
}

const std::vector<const Datapath*>& datapaths() {
  return registry().sorted;
}

Result<const Datapath*> find_datapath(std::string_view name) {
  const auto& all = datapaths();
  const auto found = std::ranges::find(all, name, &Datapath::name);
  if (found != all.end()) {
    return *found;
  }
  std::vector<std::string_view> names;
  std::ranges::transform(all, std::back_inserter(names), &Datapath::name);
  return fail(Fault::usage, fmt::format("no datapath is called '{}'", name),
              fmt::format("choose one of: {}", fmt::join(names, ", ")));
}

}  // namespace waggle
