// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/environment.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "harness/experiment/conditions.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/measure/environment.hpp"
#include "harness/measure/placement.hpp"

namespace waggle::experiment {
namespace {

/// Lowest and highest frequency of each CPU around the runs.
std::map<int, std::pair<double, double>> frequencies(const std::vector<PairRecord>& pairs) {
  std::map<int, std::pair<double, double>> ranges;
  const auto note = [&](const record::Amounts& seen_mhz) {
    for (const auto& [cpu, mhz] : seen_mhz) {
      auto& range = ranges.try_emplace(std::stoi(cpu), mhz, mhz).first->second;
      range = {std::min(range.first, mhz), std::max(range.second, mhz)};
    }
  };
  for (const PairRecord& pair : pairs) {
    for (const record::Run& run : pair.runs) {
      if (run.conditions) {
        note(run.conditions->frequency_mhz.before);
        note(run.conditions->frequency_mhz.after);
      }
    }
  }
  return ranges;
}

/// CPUs that others had in user mode while runs were on: what the machine counted and the measured processes did not.
/// Over all runs together, since the machine counts in ticks. 0 where that is a few of them.
double others_cpus(const std::vector<PairRecord>& pairs) {
  constexpr double kLeast = 0.1;  // seconds
  double others = 0;
  double seconds = 0;
  for (const PairRecord& pair : pairs) {
    for (const record::Run& run : pair.runs) {
      if (!run.ok()) {
        continue;
      }
      others += run.machine.user_s + run.machine.nice_s;
      for (const record::Party& party : run.parties) {
        others -= party.usage.user_s;
      }
      seconds += run.seconds;
    }
  }
  return others > kLeast ? others / seconds : 0;
}

}  // namespace

Surroundings::Surroundings(const Spec& spec)
    : server_cpu_(spec.server_cpu),
      client_cpu_(spec.client_cpu),
      times_(read_machine()),
      stalls_(measure::read_stalls()),
      before_(glance()) {}

Surroundings::Glance Surroundings::glance() const {
  Glance seen;
  const measure::Stalls start = measure::read_stalls();
  seen.calibration = measure::calibrate();
  seen.cpu_pressure = measure::pressure(start, measure::read_stalls(), "cpu").value_or(0);
  seen.placement_ns = measure::round_trip_ns(server_cpu_, client_cpu_).value_or(std::nullopt);
  return seen;
}

Result<record::Environment> Surroundings::finish(const Site& site, const std::vector<PairRecord>& pairs) const {
  const measure::Stalls stalls = measure::read_stalls();
  const Glance after = glance();
  record::Environment environment{.steal_share = steal_share(times_, read_machine())};
  std::optional<nlohmann::json> found;
  for (const auto& [kind, link] : site.links()) {
    record::Link told = site.recorded_link(kind);
    // Inside, since sysctls and devices are those of a network namespace.
    const auto look = [&](const topology::NetworkNamespace& where, record::Opaque& interface) {
      return where.inside([&]() -> Result<> {
        if (!found) {
          found = measure::environment();
        }
        if (!link.device().empty()) {
          WAGGLE_LET(device, measure::interface_facts(link.device()));
          interface.members = std::move(device);
        }
        return {};
      });
    };
    WAGGLE_TRY(look(link.server(), told.interfaces.server));
    WAGGLE_TRY(look(link.client(), told.interfaces.client));
    environment.links[kind] = std::move(told);
  }
  environment.others.members = found ? *std::move(found) : measure::environment();
  environment.kernel = environment.others.members.at("kernel").get<std::string>();
  environment.others.members.erase("kernel");
  environment.noise = measure::noise({.before = before_.calibration,
                                      .after = after.calibration,
                                      .steal_share = environment.steal_share,
                                      .throttled_s = measure::throttled_s(stalls_, stalls),
                                      .cpu_pressure = std::max(before_.cpu_pressure, after.cpu_pressure),
                                      .others_cpus = others_cpus(pairs),
                                      .memory_pressure = measure::pressure(stalls_, stalls, "memory").value_or(0),
                                      .frequency_mhz = frequencies(pairs)});
  environment.noisy = !environment.noise.empty();
  environment.calibration = {.before = recorded(before_.calibration), .after = recorded(after.calibration)};
  environment.placement_ns = {.before = before_.placement_ns, .after = after.placement_ns};
  environment.throttled_s = throttled(stalls_, stalls);
  environment.pressure = pressures(stalls_, stalls);
  return environment;
}

}  // namespace waggle::experiment
