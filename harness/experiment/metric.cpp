// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/metric.hpp"

#include <nlohmann/json.hpp>

namespace waggle::experiment {

using nlohmann::json;

double metric(const json& workload, const json& run) {
  if (workload.value("idle", false)) {
    double seconds = 0;
    for (const char* side : {"sender", "receiver"}) {
      seconds += run.at(side).at("user_s").get<double>() + run.at(side).at("system_s").get<double>();
    }
    return seconds / run.at("seconds").get<double>();
  }
  return run.at(workload.at("bulk").get<bool>() ? "goodput_bits_per_second" : "operations_per_second").get<double>();
}

bool is_better(const json& workload, double a, double b) {
  return workload.value("idle", false) ? a < b : a > b;
}

bool counts(const json& run, const json& group) {
  if (run.at("kind") != "timed" || run.at("status") != "ok") {
    return false;
  }
  return group.is_null() || (run.contains("conditions") && run.at("conditions").value("group", json()) == group);
}

}  // namespace waggle::experiment
