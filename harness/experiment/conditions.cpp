// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/conditions.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/experiment/placements.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

json frequencies(const measure::Look& look) {
  json frequencies = json::object();
  for (const auto& [cpu, mhz] : look.frequency_mhz) {
    frequencies[std::to_string(cpu)] = mhz;
  }
  return frequencies;
}

std::optional<double> probe(const json& conditions, const char* when) {
  const auto& probes = conditions.at("placement_ns");
  return probes.at(when).is_number() ? std::optional(probes.at(when).get<double>()) : std::nullopt;
}

}  // namespace

Result<Moment> look_around(int server_cpu, int client_cpu, SideOfRun when) {
  Moment moment;
  const auto count = [&] {
    moment.stalls = measure::read_stalls();
    moment.times = read_machine();
  };
  if (when == SideOfRun::after) {
    count();
  }
  WAGGLE_LET(seen, measure::look(server_cpu, client_cpu));
  moment.look = std::move(seen);
  if (when == SideOfRun::before) {
    count();
  }
  return moment;
}

json conditions_json(const Moment& before, const Moment& after) {
  json pressures = json::object();
  for (const char* resource : {"cpu", "memory", "io"}) {
    if (const auto share = measure::pressure(before.stalls, after.stalls, resource)) {
      pressures[resource] = *share;
    }
  }
  json conditions{
      {"placement_ns",
       {{"before", nullable(before.look.round_trip_ns)}, {"after", nullable(after.look.round_trip_ns)}}},
      {"calibration", {{"before", to_json(before.look.calibration)}, {"after", to_json(after.look.calibration)}}},
      {"steal_share", steal_share(before.times, after.times)},
      {"throttled_s",
       after.stalls.throttled_ns ? json(measure::throttled_s(before.stalls, after.stalls)) : json(nullptr)},
      {"pressure", pressures},
      {"frequency_mhz", {{"before", frequencies(before.look)}, {"after", frequencies(after.look)}}}};
  conditions["moved"] = has_moved(conditions);
  return conditions;
}

std::optional<double> distance_ns(const json& conditions) {
  const auto before = probe(conditions, "before");
  const auto after = probe(conditions, "after");
  return before && after ? std::sqrt(*before * *after) : before ? before : after;
}

bool has_moved(const json& conditions) {
  const auto before = probe(conditions, "before");
  const auto after = probe(conditions, "after");
  return before && after && is_moved(*before, *after);
}

json nullable(const std::optional<double>& value) {
  return value ? json(*value) : json(nullptr);
}

json to_json(const measure::Calibration& calibration) {
  return {{"arithmetic_ns", calibration.arithmetic_ns},
          {"memory_ns", calibration.memory_ns},
          {"spread", calibration.spread}};
}

}  // namespace waggle::experiment
