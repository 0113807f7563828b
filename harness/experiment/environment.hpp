// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json.hpp>

#include "harness/experiment/machine.hpp"
#include "harness/experiment/site.hpp"
#include "harness/measure/calibration.hpp"

namespace waggle::experiment {

/// What an experiment runs on, looked at when it is made and when it is finished: a machine that did the same piece of
/// work faster or slower, or whose time went to others meanwhile, is called noisy.
class Surroundings {
 public:
  Surroundings();
  /// The record's "environment".
  Result<nlohmann::json> finish(const Site& site) const;

 private:
  MachineTimes times_;
  measure::Calibration calibration_;
};

}  // namespace waggle::experiment
