// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>

#include "base/result.hpp"
#include "harness/experiment/machine.hpp"
#include "harness/measure/placement.hpp"
#include "harness/measure/pressure.hpp"
#include "harness/record/run.hpp"

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

/// Whatever of the machine may explain a factor between two runs.
record::Conditions conditions_of(const Moment& before, const Moment& after);

/// The distance that a run's conditions tell: the geometric mean of both probes, or the only one; nothing without.
std::optional<double> distance_ns(const record::Conditions& conditions);
/// Whether the CPUs were moved while it ran.
bool has_moved(const record::Conditions& conditions);

/// Shares of the time between two readings in which somebody waited, by resource; without those that nobody counts.
record::Amounts pressures(const measure::Stalls& before, const measure::Stalls& after);
/// Seconds between two readings for which a quota stopped us; nothing where nobody counts it.
std::optional<double> throttled(const measure::Stalls& before, const measure::Stalls& after);

}  // namespace waggle::experiment
