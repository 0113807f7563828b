// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/shorten.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "harness/statistics/statistics.hpp"

namespace waggle::suite {
namespace {

constexpr std::uint64_t kLeastFile = std::uint64_t{16} << 20U;
constexpr double kLeastSeconds = 0.5;
constexpr double kFewestRuns = 3;
/// By which workloads say how often a run does the same, one request or a few each time.
constexpr std::string_view kRepeats = "count";
constexpr std::uint64_t kLeastRepeats = 500;
/// Of one of these, by one client; two clients keep two CPUs busy, and more of them wait.
constexpr double kRepeatSeconds = 60e-6;
constexpr double kClientsAtOnce = 2;

/// What the requests of a run take. Round trips are no matter of bytes, by which runs are estimated.
double repeats_seconds(const experiment::Spec& spec) {
  const auto found = spec.parameters.own.find(std::string(kRepeats));
  const auto* count = found == spec.parameters.own.end() ? nullptr : std::get_if<std::uint64_t>(&found->second);
  const double clients = std::max(1.0, static_cast<double>(spec.parameters.clients) / kClientsAtOnce);
  return count == nullptr ? 0 : static_cast<double>(*count) * clients * kRepeatSeconds;
}

Estimate with_runs(experiment::Spec& spec, double runs) {
  spec.least_runs = spec.most_runs = static_cast<std::uint32_t>(runs);
  Planned planned;
  planned.spec = spec;
  auto takes = estimate(planned);
  takes.seconds += static_cast<double>(takes.runs) * repeats_seconds(spec);
  return takes;
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
    auto* const amount = std::get_if<std::uint64_t>(&own->second);
    auto* const seconds = std::get_if<double>(&own->second);
    const auto traits = (*workload)->traits();
    const bool file = traits.bulk && option.name == traits.file_size;
    const bool repeats = option.name == kRepeats;
    if (amount != nullptr && ((file && *amount >= 2 * kLeastFile) || (repeats && *amount >= 2 * kLeastRepeats))) {
      *amount /= 2;
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
