// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <vector>

#include "harness/experiment/machine.hpp"
#include "harness/experiment/site.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/measure/calibration.hpp"
#include "harness/measure/pressure.hpp"

namespace waggle::experiment {

/// What an experiment runs on, looked at when it is made and when it is finished: a machine that did the same piece of
/// work faster or slower, or whose time went to others meanwhile, is called noisy.
class Surroundings {
 public:
  /// Looks at the machine, and at the distance of the CPUs that the experiment is going to use.
  explicit Surroundings(const Spec& spec);
  /// All that the record tells of it; `pairs` tell what their runs met.
  Result<record::Environment> finish(const Site& site, const std::vector<PairRecord>& pairs) const;

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
