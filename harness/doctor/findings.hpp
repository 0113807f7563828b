// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/measure/capabilities.hpp"
#include "harness/measure/cpu_topology.hpp"

/// What can run on this machine, what cannot, why, and what would fix it.
namespace waggle::doctor {

/// How far two CPUs are from each other, at a moment.
struct Distance {
  int server = 0;
  int client = 0;
  measure::Shared shared = measure::Shared::machine;  ///< what the machine says that they have in common
  std::optional<double> round_trip_ns;                ///< nothing when others kept them busy, or when they are one
};

/// Of the CPUs of server and client. Fault::usage when this process may not run on one of them.
Result<Distance> measure_distance(int server, int client);

/// All that was found.
struct Findings {
  std::vector<measure::Capability> capabilities;
  std::optional<Distance> distance;  ///< between the CPUs that experiments use; nothing when it could not be measured

  /// Names of what is required and does not work: without it there are no experiments here.
  std::vector<std::string> lacking() const;
};

/// Everything that was tried just now: what the machine can do, what limits leave to this process, and each datapath,
/// which knows by itself what it needs. Takes about a second and leaves nothing behind.
std::vector<measure::Capability> find_capabilities();

}  // namespace waggle::doctor
