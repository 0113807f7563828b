// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/environment.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "harness/experiment/conditions.hpp"
#include "harness/measure/environment.hpp"
#include "harness/measure/placement.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Lowest and highest frequency of each CPU around the runs.
std::map<int, std::pair<double, double>> frequencies(const std::vector<PairRecord>& pairs) {
  std::map<int, std::pair<double, double>> ranges;
  for (const PairRecord& pair : pairs) {
    for (const json& run : pair.runs) {
      for (const char* when : {"before", "after"}) {
        if (!run.contains("conditions")) {
          continue;
        }
        for (const auto& [cpu, mhz] : run.at("conditions").at("frequency_mhz").at(when).items()) {
          const auto seen = mhz.get<double>();
          auto& range = ranges.try_emplace(std::stoi(cpu), seen, seen).first->second;
          range = {std::min(range.first, seen), std::max(range.second, seen)};
        }
      }
    }
  }
  return ranges;
}

/// CPUs that others had in user mode while runs were on: what the machine counted and the two processes did not. Over
/// all runs together, since the machine counts in ticks. 0 where that is a few of them.
double others_cpus(const std::vector<PairRecord>& pairs) {
  constexpr double kLeast = 0.1;  // seconds
  double others = 0;
  double seconds = 0;
  for (const PairRecord& pair : pairs) {
    for (const json& run : pair.runs) {
      if (run.contains("machine")) {
        others += run.at("machine").at("user_s").get<double>() + run.at("machine").at("nice_s").get<double>() -
                  run.at("sender").at("user_s").get<double>() - run.at("receiver").at("user_s").get<double>();
        seconds += run.at("seconds").get<double>();
      }
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

Result<json> Surroundings::finish(const Site& site, const std::vector<PairRecord>& pairs) const {
  const measure::Stalls stalls = measure::read_stalls();
  const Glance after = glance();
  const double steal = steal_share(times_, read_machine());
  json environment;
  json links = json::object();
  for (const auto& [kind, link] : site.links()) {
    json entry = site.link_json(kind);
    // Inside, since sysctls and devices are those of a network namespace.
    const auto look = [&](const topology::NetworkNamespace& where, const char* end) {
      return where.inside([&]() -> Result<> {
        if (environment.is_null()) {
          environment = measure::environment();
        }
        entry["interfaces"][end] = json::object();
        if (!link.device().empty()) {
          WAGGLE_LET(interface, measure::interface_facts(link.device()));
          entry["interfaces"][end] = std::move(interface);
        }
        return {};
      });
    };
    WAGGLE_TRY(look(link.server(), "server"));
    WAGGLE_TRY(look(link.client(), "client"));
    links[kind] = std::move(entry);
  }
  if (environment.is_null()) {
    environment = measure::environment();
  }
  const auto reasons = measure::noise({.before = before_.calibration,
                                       .after = after.calibration,
                                       .steal_share = steal,
                                       .throttled_s = measure::throttled_s(stalls_, stalls),
                                       .cpu_pressure = std::max(before_.cpu_pressure, after.cpu_pressure),
                                       .others_cpus = others_cpus(pairs),
                                       .memory_pressure = measure::pressure(stalls_, stalls, "memory").value_or(0),
                                       .frequency_mhz = frequencies(pairs)});
  environment["links"] = std::move(links);
  environment["calibration"] = {{"before", to_json(before_.calibration)}, {"after", to_json(after.calibration)}};
  environment["placement_ns"] = {{"before", nullable(before_.placement_ns)}, {"after", nullable(after.placement_ns)}};
  environment["steal_share"] = steal;
  environment["throttled_s"] = stalls.throttled_ns ? json(measure::throttled_s(stalls_, stalls)) : json(nullptr);
  json pressures = json::object();
  for (const char* resource : {"cpu", "memory", "io"}) {
    if (const auto share = measure::pressure(stalls_, stalls, resource)) {
      pressures[resource] = *share;
    }
  }
  environment["pressure"] = std::move(pressures);
  environment["noisy"] = !reasons.empty();
  environment["noise"] = reasons;
  return environment;
}

}  // namespace waggle::experiment
