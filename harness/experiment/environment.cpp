// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/environment.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "harness/experiment/requests.hpp"
#include "harness/measure/calibration.hpp"

namespace waggle::experiment {
namespace {

/// Lowest and highest frequency of each CPU around the runs.
std::map<int, std::pair<double, double>> frequencies(const std::vector<Entry>& entries) {
  std::map<int, std::pair<double, double>> ranges;
  const auto note = [&](const record::Amounts& seen_mhz) {
    for (const auto& [cpu, mhz] : seen_mhz) {
      auto& range = ranges.try_emplace(std::stoi(cpu), mhz, mhz).first->second;
      range = {std::min(range.first, mhz), std::max(range.second, mhz)};
    }
  };
  for (const Entry& entry : entries) {
    for (const record::Run& run : entry.runs) {
      if (run.conditions) {
        note(run.conditions->frequency_mhz.before);
        note(run.conditions->frequency_mhz.after);
      }
    }
  }
  return ranges;
}

/// CPUs that others had in user mode while runs were on: what the machine counted and the measured processes did not.
/// Over all runs together, since the machine counts in ticks. 0 where that is a few of them.
double others_cpus(const std::vector<Entry>& entries) {
  constexpr double kLeast = 0.1;     // seconds
  constexpr double kShortest = 0.1;  // seconds: of a shorter run the machine counts mostly what we do around it
  double others = 0;
  double seconds = 0;
  for (const Entry& entry : entries) {
    for (const record::Run& run : entry.runs) {
      if (!run.ok() || run.seconds < kShortest) {
        continue;
      }
      others += run.machine.user_s + run.machine.nice_s;
      for (const record::Party& party : run.parties) {
        others -= party.usage.user_s;
      }
      seconds += run.seconds;
    }
  }
  return others > kLeast ? others / seconds : 0;
}

measure::Calibration calibration_of(const record::Calibration& told) {
  return {.arithmetic_ns = told.arithmetic_ns, .memory_ns = told.memory_ns, .spread = told.spread};
}

std::vector<std::string> noise_of(const HostSurveyed& seen, const std::vector<Entry>& entries) {
  const auto memory = seen.host.pressure.find("memory");
  return measure::noise({.before = calibration_of(seen.host.calibration.before),
                         .after = calibration_of(seen.host.calibration.after),
                         .steal_share = seen.host.steal_share,
                         .throttled_s = seen.host.throttled_s.value_or(0),
                         .cpu_pressure = seen.cpu_pressure,
                         .others_cpus = others_cpus(entries),
                         .memory_pressure = memory == seen.host.pressure.end() ? 0 : memory->second,
                         .frequency_mhz = frequencies(entries)});
}

}  // namespace

Result<> begin_survey(const Spec& spec, Site& site) {
  WAGGLE_TRY(site.host().ask(Survey{.cpus = {spec.server_cpu, spec.client_cpu}}, site.interrupt()));
  return {};
}

Result<record::Environment> end_survey(Site& site, const std::vector<Entry>& entries) {
  record::Environment environment;
  // What the agent of the host cannot tell any more costs the record that, and none of its runs.
  const auto note = [&](const Error& error) -> Result<> {
    if (error.fault == Fault::cancelled) {
      return std::unexpected(error);
    }
    const auto line = "it could not be told what the machine was like in the end: " + error.what;
    if (std::ranges::find(environment.noise, line) == environment.noise.end()) {
      environment.noise.push_back(line);
    }
    return {};
  };
  std::string first;
  for (const auto& [kind, link] : site.links()) {
    record::Link told = site.recorded_link(kind);
    for (const auto& [host, network] : {std::pair{"server", link.server().path()}, {"client", link.client().path()}}) {
      first = first.empty() ? network : first;
      record::Opaque facts;
      if (!link.device().empty()) {
        auto device = site.host().ask(DescribeDevice{.network = network, .device = link.device()}, site.interrupt());
        if (device) {
          facts = std::move(device->facts);
        } else {
          WAGGLE_TRY(note(device.error()));
        }
      }
      told.interfaces[host] = std::move(facts);
    }
    environment.links[kind] = std::move(told);
  }
  auto seen = site.host().ask(Surveyed{.network = first}, site.interrupt());
  if (seen) {
    std::ranges::move(noise_of(*seen, entries), std::back_inserter(environment.noise));
    environment.placement_ns = seen->placement_ns;
    environment.hosts.push_back(std::move(seen->host));
    environment.hosts.back().names = {"server", "client"};
  } else {
    WAGGLE_TRY(note(seen.error()));
  }
  environment.noisy = !environment.noise.empty();
  return environment;
}

}  // namespace waggle::experiment
