// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/survey.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/experiment/conditions.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/measure/environment.hpp"
#include "harness/measure/placement.hpp"
#include "harness/topology/network_namespace.hpp"

namespace waggle::experiment {

HostSurvey::HostSurvey(int server_cpu, int client_cpu)
    : server_cpu_(server_cpu),
      client_cpu_(client_cpu),
      times_(read_machine()),
      stalls_(measure::read_stalls()),
      before_(glance()) {}

HostSurvey::Glance HostSurvey::glance() const {
  Glance seen;
  const measure::Stalls start = measure::read_stalls();
  seen.calibration = measure::calibrate();
  seen.cpu_pressure = measure::pressure(start, measure::read_stalls(), "cpu").value_or(0);
  seen.placement_ns = measure::round_trip_ns(server_cpu_, client_cpu_).value_or(std::nullopt);
  return seen;
}

Result<HostSurveyed> HostSurvey::finish(const std::string& network) const {
  const measure::Stalls stalls = measure::read_stalls();
  const Glance after = glance();
  HostSurveyed told;
  told.host.steal_share = steal_share(times_, read_machine());
  told.host.calibration = {.before = recorded(before_.calibration), .after = recorded(after.calibration)};
  told.host.throttled_s = throttled(stalls_, stalls);
  told.host.pressure = pressures(stalls_, stalls);
  WAGGLE_TRY(topology::inside_network(network, [&]() -> Result<> {
    told.host.others.members = measure::environment();
    return {};
  }));
  told.host.kernel = told.host.others.members.at("kernel").get<std::string>();
  told.host.others.members.erase("kernel");
  told.placement_ns = {.before = before_.placement_ns, .after = after.placement_ns};
  told.cpu_pressure = std::max(before_.cpu_pressure, after.cpu_pressure);
  return told;
}

}  // namespace waggle::experiment
