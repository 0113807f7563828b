// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/shorten.hpp"

#include <algorithm>
#include <cmath>

#include "harness/statistics/statistics.hpp"

namespace waggle::suite {
namespace {

constexpr std::uint64_t kLeastFile = std::uint64_t{16} << 20U;
constexpr double kLeastSeconds = 0.5;
constexpr double kFewestRuns = 3;

Estimate with_runs(experiment::Spec& spec, double runs) {
  spec.least_runs = spec.most_runs = static_cast<std::uint32_t>(runs);
  Planned planned;
  planned.spec = spec;
  return estimate(planned);
}

/// How many timed runs of each pair fit.
double fitting(experiment::Spec& spec, double seconds) {
  const double one = with_runs(spec, 1).seconds;
  const double each = with_runs(spec, 2).seconds - one;
  return each > 0 ? std::floor(1 + (seconds - one) / each) : 0;
}

/// Halves what the workload moves in a run, or how long it goes on; false when that is little already.
bool halve(experiment::Spec& spec) {
  const auto workload = workloads::find_workload(spec.workload);
  if (!workload || spec.file) {
    return false;
  }
  auto less = spec.parameters;
  bool halved = false;
  for (const OptionInfo& option : (*workload)->options()) {
    const auto own = less.own.find(option.name);
    if (own == less.own.end()) {
      continue;
    }
    auto* const bytes = std::get_if<std::uint64_t>(&own->second);
    auto* const seconds = std::get_if<double>(&own->second);
    if (bytes != nullptr && option.name == (*workload)->traits().file_size && *bytes >= 2 * kLeastFile) {
      *bytes /= 2;
      halved = true;
    } else if (seconds != nullptr && option.type.kind == OptionType::Kind::seconds && *seconds >= 2 * kLeastSeconds) {
      *seconds /= 2;
      halved = true;
    }
  }
  if (!halved || !(*workload)->check(less)) {
    return false;
  }
  spec.parameters = std::move(less);
  return true;
}

}  // namespace

Estimate shorten(experiment::Spec& spec, double seconds) {
  const double most = spec.most_runs;
  const std::size_t contestants = std::max<std::uint64_t>(with_runs(spec, 1).contestants, 1);
  const auto needed = static_cast<double>(statistics::least_covering(statistics::comparisons_among(contestants)));
  double runs = fitting(spec, seconds);
  while (runs < needed && halve(spec)) {
    runs = fitting(spec, seconds);
  }
  return with_runs(spec, std::clamp(runs, kFewestRuns, std::max(most, kFewestRuns)));
}

}  // namespace waggle::suite
