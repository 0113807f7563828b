// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/comparable.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>

#include "base/text.hpp"
#include "harness/record/archive.hpp"

namespace waggle::report {
namespace {

using nlohmann::json;

/// How often and where runs are made, and in which order; of CPUs the placement tells more.
constexpr auto kOfNoMatter = std::to_array<std::string_view>({"budget_seconds", "client_cpu", "cpus", "interval_target",
                                                              "least_runs", "most_runs", "pairs", "placement",
                                                              "probed_runs", "seed", "server_cpu", "warmups", "work"});
/// Settings of datapaths stand here when somebody has said them: one that is not there is another value.
constexpr std::string_view kSaid = "/channel/settings/";

/// Every setting by its place, as RFC 6901 has it: "/parameters/size".
json settings_of(const record::Record& record) {
  auto settings = record::write(record.spec);
  for (const auto name : kOfNoMatter) {
    settings.erase(std::string(name));
  }
  return settings.flatten();
}

/// What a record only keeps is not printable yet.
std::string name_of(const std::string& place) {
  return waggle::printable(place.substr(place.rfind('/') + 1));
}

bool differ(const json& a, const json& b, const std::string& place) {
  const auto there = b.find(place);
  return there == b.end() ? place.starts_with(kSaid) : *there != a.at(place);
}

/// Its CPUs, and what runs on them.
auto facts_of(const record::Host& host) {
  const auto& others = host.others.members;
  const auto cpu = others.is_object() ? others.value("cpu", json()) : json();
  const auto fact = [&](const char* name) { return cpu.is_object() ? cpu.value(name, json()) : json(); };
  return std::tuple(host.kernel, fact("model"), fact("online"));
}

}  // namespace

std::vector<std::string> other_settings(const record::Record& a, const record::Record& b,
                                        const std::set<std::string>& meant) {
  const auto here = settings_of(a);
  const auto there = settings_of(b);
  std::set<std::string> names;
  for (const auto& [one, other] : {std::tie(here, there), std::tie(there, here)}) {
    for (const auto& [place, value] : one.items()) {
      if (differ(one, other, place) && !meant.contains(name_of(place))) {
        names.insert(name_of(place));
      }
    }
  }
  return {names.begin(), names.end()};
}

bool are_of_one_build(const record::Record& a, const record::Record& b) {
  return a.git.revision == b.git.revision && a.git.dirty == b.git.dirty;
}

bool are_of_one_machine(const record::Record& a, const record::Record& b) {
  return std::ranges::equal(
      a.environment.hosts, b.environment.hosts,
      [](const record::Host& one, const record::Host& other) { return facts_of(one) == facts_of(other); });
}

}  // namespace waggle::report
