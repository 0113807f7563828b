// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/granted.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace waggle::experiment {
namespace {

/// Every value that a mode has had, the first one first.
std::vector<std::string> values_of(const record::Mode& mode) {
  auto values = mode.before;
  values.push_back(mode.granted);
  return values;
}

}  // namespace

record::Facts since(const record::Facts& start, record::Facts end) {
  for (record::Mode& mode : end.modes) {
    const auto was = std::ranges::find(start.modes, mode.name, &record::Mode::name);
    if (was == start.modes.end()) {
      continue;
    }
    std::vector<std::string> before;
    for (const record::Mode* each : {&*was, static_cast<const record::Mode*>(&mode)}) {
      for (auto& value : values_of(*each)) {
        if (std::ranges::find(before, value) == before.end()) {
          before.push_back(std::move(value));
        }
      }
    }
    std::erase(before, mode.granted);
    mode.before = std::move(before);
  }
  return end;
}

std::vector<record::Facts> over_runs(const std::vector<record::Facts>& earlier, std::vector<record::Facts> latest) {
  for (std::size_t i = 0; i < std::min(earlier.size(), latest.size()); ++i) {
    latest[i] = since(earlier[i], std::move(latest[i]));
  }
  return latest;
}

}  // namespace waggle::experiment
