// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/conditions.hpp"

#include <cmath>
#include <string>

#include "harness/experiment/placements.hpp"
#include "harness/experiment/recorded.hpp"

namespace waggle::experiment {
namespace {

record::Amounts frequencies(const measure::Look& look) {
  record::Amounts frequencies;
  for (const auto& [cpu, mhz] : look.frequency_mhz) {
    frequencies[std::to_string(cpu)] = mhz;
  }
  return frequencies;
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

record::Amounts pressures(const measure::Stalls& before, const measure::Stalls& after) {
  record::Amounts pressures;
  for (const char* resource : {"cpu", "memory", "io"}) {
    if (const auto share = measure::pressure(before, after, resource)) {
      pressures[resource] = *share;
    }
  }
  return pressures;
}

std::optional<double> throttled(const measure::Stalls& before, const measure::Stalls& after) {
  return after.throttled_ns ? std::optional(measure::throttled_s(before, after)) : std::nullopt;
}

record::Conditions conditions_of(const Moment& before, const Moment& after) {
  record::Conditions conditions{
      .placement_ns = {.before = before.look.round_trip_ns, .after = after.look.round_trip_ns},
      .moved = false,
      .group = {},
      .calibration = {.before = recorded(before.look.calibration), .after = recorded(after.look.calibration)},
      .steal_share = steal_share(before.times, after.times),
      .throttled_s = throttled(before.stalls, after.stalls),
      .pressure = pressures(before.stalls, after.stalls),
      .frequency_mhz = {.before = frequencies(before.look), .after = frequencies(after.look)}};
  conditions.moved = has_moved(conditions);
  return conditions;
}

std::optional<double> distance_ns(const record::Conditions& conditions) {
  const auto& [before, after] = conditions.placement_ns;
  return before && after ? std::sqrt(*before * *after) : before ? before : after;
}

bool has_moved(const record::Conditions& conditions) {
  const auto& [before, after] = conditions.placement_ns;
  return before && after && is_moved(*before, *after);
}

}  // namespace waggle::experiment
