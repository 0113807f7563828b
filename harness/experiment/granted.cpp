// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/granted.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace waggle::experiment {
namespace {

using nlohmann::json;

const json* find(const json& modes, const std::string& name) {
  const auto found = std::ranges::find_if(modes, [&](const json& mode) { return mode.at("name") == name; });
  return found == modes.end() ? nullptr : &*found;
}

/// Every value that a mode has had, the first one first.
std::vector<std::string> values_of(const json& mode) {
  auto values = mode.value("before", std::vector<std::string>{});
  values.push_back(mode.at("granted").get<std::string>());
  return values;
}

}  // namespace

json since(const json& start, json end) {
  for (json& mode : end.at("modes")) {
    const json* const was = find(start.at("modes"), mode.at("name").get<std::string>());
    if (was == nullptr) {
      continue;
    }
    std::vector<std::string> before;
    for (const json* each : {was, static_cast<const json*>(&mode)}) {
      for (auto& value : values_of(*each)) {
        if (std::ranges::find(before, value) == before.end()) {
          before.push_back(std::move(value));
        }
      }
    }
    std::erase(before, mode.at("granted").get<std::string>());
    if (!before.empty()) {
      mode["before"] = before;
    }
  }
  return end;
}

json over_runs(const json& earlier, json latest) {
  if (earlier.is_object()) {
    for (auto& [side, facts] : latest.items()) {
      facts = since(earlier.at(side), std::move(facts));
    }
  }
  return latest;
}

}  // namespace waggle::experiment
