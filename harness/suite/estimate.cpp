// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/units.hpp"
#include "harness/experiment/pairs.hpp"
#include "harness/experiment/spec_check.hpp"
#include "harness/experiment/suitability.hpp"

namespace waggle::suite {
namespace {

/// Of a run besides its payload: fresh processes, a connection, looks at the machine before and after.
constexpr double kRunSeconds = 0.35;
/// Of an experiment besides its runs: namespaces, links, two surveys of the machine.
constexpr double kExperimentSeconds = 2;
/// Payload that is made, moved and verified, on one core each.
constexpr double kBytesPerSecond = 1e9;

/// Payload bytes of one client's run, as far as the workload tells.
double payload(const workloads::Workload& workload, const experiment::Spec& spec) {
  double bytes = static_cast<double>(workload.fills(spec.parameters));
  const auto size = spec.parameters.own.find(workload.traits().file_size);
  // Of a file that is read in parts its size says nothing.
  if (workload.traits().bulk && size != spec.parameters.own.end()) {
    if (const auto* number = std::get_if<std::uint64_t>(&size->second)) {
      bytes = std::max(bytes, static_cast<double>(*number));
    }
  }
  return bytes;
}

bool fits(const experiment::Spec& spec, experiment::Pair pair) {
  if (pair.receiver.empty()) {
    pair.receiver = experiment::default_receiver(pair.sender);
  }
  const auto link = experiment::check_ends(pair, experiment::payload_sink(spec))
                        ? experiment::check_joined(spec, pair)
                        : Result<std::string>(fail(Fault::usage, ""));
  const auto is_there = [](const std::string& name) {
    static std::map<std::string, bool> known;  // asking may open devices
    const auto found = known.find(name);
    if (found != known.end()) {
      return found->second;
    }
    const auto datapath = find_datapath(name);
    return known[name] = datapath && (*datapath)->available();
  };
  return link && experiment::check_effect(spec, pair, *link) && is_there(pair.sender) && is_there(pair.receiver);
}

}  // namespace

Estimate& Estimate::operator+=(const Estimate& other) {
  contestants += other.contestants;
  runs += other.runs;
  seconds += other.seconds;
  return *this;
}

Estimate estimate(const Planned& experiment) {
  const experiment::Spec& spec = experiment.spec;
  const auto workload = workloads::find_workload(spec.workload);
  Estimate made;
  if (experiment.problem || !workload) {
    return made;
  }
  for (const experiment::Pair& pair : spec.pairs) {
    made.contestants += fits(spec, pair) ? 1 : 0;
  }
  const double bytes = payload(**workload, spec);
  const double clients = static_cast<double>(spec.parameters.clients);
  const double run = kRunSeconds + std::max((*workload)->lasts(spec.parameters), bytes * clients / kBytesPerSecond);
  const experiment::RunBounds bounds = experiment::run_bounds(spec);
  const double affordable = std::min(spec.budget_seconds / run, static_cast<double>(bounds.most));
  const auto timed = std::max<std::uint64_t>(bounds.least, static_cast<std::uint64_t>(affordable));
  made.runs = made.contestants * (spec.warmups + timed + spec.probed_runs);
  made.seconds = made.contestants == 0
                     ? 0
                     : kExperimentSeconds + static_cast<double>((*workload)->makes(spec.parameters)) / kBytesPerSecond +
                           static_cast<double>(made.runs) * run;
  return made;
}

Estimate estimate(std::span<const Planned> experiments) {
  Estimate all;
  for (const Planned& experiment : experiments) {
    all += estimate(experiment);
  }
  return all;
}

Result<> check_meant(const Estimate& all) {
  return all.runs <= kManyRuns ? Result<>()
                               : fail(Fault::usage,
                                      fmt::format("this means {} runs and takes about {}", format_count(all.runs),
                                                  format_duration_ns(all.seconds * 1e9)),
                                      "add --yes if that is meant, or shorten it with --budget and --most-runs");
}

}  // namespace waggle::suite
