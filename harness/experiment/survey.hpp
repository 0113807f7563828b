// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>

#include "harness/experiment/machine.hpp"
#include "harness/experiment/replies.hpp"
#include "harness/measure/calibration.hpp"
#include "harness/measure/pressure.hpp"

namespace waggle::experiment {

/// What a host is like from the beginning of an experiment to its end, as its agent sees it: how fast it did the same
/// piece of work before and after, and whose time went to others meanwhile.
class HostSurvey {
 public:
  /// Looks at the machine, and at the distance of the CPUs that the experiment is going to use.
  HostSurvey(int server_cpu, int client_cpu);
  /// Looks again. `network`: a network namespace whose settings are recorded, by path; empty: the caller's.
  Result<HostSurveyed> finish(const std::string& network) const;

 private:
  /// One calibration, with how much others waited for a CPU meanwhile and how far the CPUs were from each other.
  struct Glance {
    measure::Calibration calibration;
    double cpu_pressure = 0;
    std::optional<double> placement_ns;
  };
  Glance glance() const;

  int server_cpu_;
  int client_cpu_;
  MachineTimes times_;
  measure::Stalls stalls_;
  Glance before_;
};

}  // namespace waggle::experiment
