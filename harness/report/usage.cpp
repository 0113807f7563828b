// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/usage.hpp"

#include <algorithm>
#include <optional>

#include "harness/statistics/statistics.hpp"

namespace waggle::report {

record::Interval single(double value, std::size_t runs) {
  return {.median = value, .low = {}, .high = {}, .runs = runs, .coverage = {}};
}

record::Interval spread(double value, const std::vector<double>& runs) {
  auto interval = single(value, runs.size());
  const auto over = statistics::interval_of(runs);
  if (over.low && over.high) {
    interval.low = std::min(*over.low, value);
    interval.high = std::max(*over.high, value);
    interval.coverage = over.coverage;
    interval.drift = over.drift;
  }
  return interval;
}

record::Interval scaled(record::Interval interval, double factor) {
  interval.median *= factor;
  for (auto* const end : {&interval.low, &interval.high}) {
    *end = *end ? std::optional(**end * factor) : std::nullopt;
  }
  return interval;
}

double switches_of(const record::Usage& usage) {
  return static_cast<double>(usage.voluntary_switches + usage.involuntary_switches);
}

double faults_of(const record::Usage& usage) {
  return static_cast<double>(usage.minor_faults + usage.major_faults);
}

double peak_of(const record::Usage& usage) {
  return static_cast<double>(usage.peak_memory_bytes);
}

double counted_by(const record::Usage& usage, const std::string& name) {
  const auto found = usage.counters.find(name);
  return found == usage.counters.end() ? 0 : static_cast<double>(found->second);
}

}  // namespace waggle::report
