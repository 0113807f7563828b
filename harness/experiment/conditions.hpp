// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "base/result.hpp"
#include "harness/experiment/machine.hpp"
#include "harness/measure/placement.hpp"
#include "harness/measure/pressure.hpp"

namespace waggle::experiment {

/// What the machine is like before or after a run, between the CPUs that it uses.
struct Moment {
  measure::Look look;
  measure::Stalls stalls;
  MachineTimes times;
};

/// Looks first and reads the counters last, when a run is to begin, or the other way round at its end.
enum class SideOfRun { before, after };
Result<Moment> look_around(int server_cpu, int client_cpu, SideOfRun when);

/// The record's "conditions" of a run: whatever of the machine may explain a factor between two runs.
nlohmann::json conditions_json(const Moment& before, const Moment& after);

/// The distance that a run's "conditions" tell: the geometric mean of both probes, or the only one; nothing without.
std::optional<double> distance_ns(const nlohmann::json& conditions);
/// Whether the CPUs were moved while it ran.
bool has_moved(const nlohmann::json& conditions);

nlohmann::json to_json(const measure::Calibration& calibration);
/// The value, or null when there is none.
nlohmann::json nullable(const std::optional<double>& value);

}  // namespace waggle::experiment
