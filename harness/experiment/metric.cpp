// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/metric.hpp"

namespace waggle::experiment {

double metric(const record::Workload& workload, const record::Run& run) {
  return workload.idle   ? run.cpu_s() / run.seconds
         : workload.bulk ? run.goodput_bits_per_second
                         : run.operations_per_second;
}

const record::Interval& metric(const record::Workload& workload, const record::Summary& summary) {
  return workload.idle   ? summary.cpu_share.processes
         : workload.bulk ? summary.goodput_bits_per_second
                         : summary.operations_per_second;
}

bool is_better(const record::Workload& workload, double a, double b) {
  return workload.idle ? a < b : a > b;
}

bool counts(const record::Run& run, std::optional<std::size_t> group) {
  if (run.kind != record::Kind::timed || !run.ok()) {
    return false;
  }
  return !group || (run.conditions && run.conditions->group == group);
}

}  // namespace waggle::experiment
