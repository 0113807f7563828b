// SPDX-License-Identifier: BSD-2-Clause
#include "harness/record/metric.hpp"

namespace waggle::record {

double metric(const Workload& workload, const Run& run) {
  return workload.idle   ? run.cpu_s() / run.seconds
         : workload.bulk ? run.goodput_bits_per_second
                         : run.operations_per_second;
}

const Interval& metric(const Workload& workload, const Summary& summary) {
  return workload.idle   ? summary.cpu_share.processes
         : workload.bulk ? summary.goodput_bits_per_second
                         : summary.operations_per_second;
}

bool is_better(const Workload& workload, double a, double b) {
  return workload.idle ? a < b : a > b;
}

bool counts(const Run& run, std::optional<std::size_t> group) {
  if (run.kind != Kind::timed || !run.ok()) {
    return false;
  }
  return !group || (run.conditions && run.conditions->group == group);
}

}  // namespace waggle::record
