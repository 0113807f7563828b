// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/spec_check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <tuple>

#include "base/unique_fd.hpp"
#include "datapaths/settings.hpp"
#include "harness/experiment/cpus.hpp"
#include "harness/measure/probe.hpp"
#include "harness/statistics/statistics.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::experiment {
namespace {

using workloads::Workload;

/// Timed runs, of which the median's 95 % interval has its ends (interval_of()).
constexpr std::size_t kLeastPilot = 6;
/// Of what a bad link does, it counts thousandths.
constexpr double kLeastBadness = 0.001;

/// Adds the names of values that are not as in S{}.
template <typename S>
void add_changed(Said& names, const OptionTable<S>& table, const S& of) {
  S usual;
  const OptionValues defaults = table.values(usual);
  for (const auto& [name, value] : table.values(of)) {
    if (value != defaults.at(name)) {
      names.insert(name);
    }
  }
}

/// Options of others that mean nothing to some workloads.
Result<> check_traits(const Workload& workload, const Said& said) {
  const auto traits = workload.traits();
  for (const auto& [name, heeded] : {std::pair{"sink", traits.fills_sink},
                                     {"tmpfs_huge", traits.fills_sink},
                                     {"cache", traits.reads_files},
                                     {"digest", traits.reads_files},
                                     {"file", traits.takes_file}}) {
    if (said.contains(name) && !heeded) {
      WAGGLE_LET(option, find_option(spec_options().infos(), name));
      return workloads::says_nothing(option->on_command_line(), workload);
    }
  }
  return {};
}

/// A file of the user is one that can be read now; its size takes the place of the made one's.
Result<> settle_file(Spec& spec, const Workload& workload, const Said& said) {
  if (!spec.file) {
    return {};
  }
  const std::string size(workload.traits().file_size);
  if (said.contains(size)) {
    return fail(Fault::usage, fmt::format("--file and {} exclude each other", on_command_line(size)),
                "leave one of them out");
  }
  const std::string path = spec.file->string();
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot open {}", path), errno, "name a file that can be read with --file");
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Fault::usage, fmt::format("{} is not a regular file", path), "name one with --file");
  }
  spec.file = std::filesystem::absolute(*spec.file);
  spec.parameters.own[size] = static_cast<std::uint64_t>(status.st_size);
  return {};
}

Result<> check_place(const Spec& spec) {
  if (spec.tmpfs_huge && spec.sink != Sink::tmpfs) {
    return fail(Fault::usage, fmt::format("--huge is a property of a tmpfs, and the sink is {}", word_of(spec.sink)),
                "choose --sink=tmpfs or leave --huge out");
  }
  const auto kind = topology::link_kind(spec.link);
  if (!spec.pci.empty() && !kind.addresses) {
    return fail(Fault::usage, fmt::format("--pci says nothing to the link {}", spec.link),
                fmt::format("add --link={}", topology::addressed_link()));
  }
  for (const auto& [option, given] : {std::pair{"--napi", spec.napi != NapiChoice::automatic},
                                      {"--queues", spec.queues != 1},
                                      {"--middle", spec.middle}}) {
    if (given && spec.link != "auto" && !kind.queues) {
      return fail(Fault::usage, fmt::format("{} says nothing to the link {}", option, spec.link), "leave it out");
    }
  }
  if (spec.middle && spec.offloads) {
    return fail(Fault::usage, "--middle passes on what a network card would: no frame above the MTU",
                "add --offloads=off");
  }
  for (const auto& [option, share] : {std::pair{"--loss", spec.loss}, {"--reorder", spec.reorder}}) {
    if (share != 0 && !spec.middle) {
      return fail(Fault::usage, fmt::format("{} is what a host between the two does", option), "add --middle");
    }
    if (share != 0 && share < kLeastBadness) {
      return fail(Fault::usage, fmt::format("{}: {} is less than a link can do", option, share),
                  "give 0, or 0.1% and more");
    }
  }
  std::error_code error;
  if (!std::filesystem::is_directory(spec.work, error)) {
    return fail(Fault::not_found, fmt::format("--work: {} is not a directory", spec.work.string()),
                "name a directory with room for the files");
  }
  return {};
}

/// What follows from numbers that nobody said is not filled in, but asked of run_bounds(): a record has to tell them
/// from those that were said.
Result<> check_runs(const Spec& spec, const Said& said) {
  return spec.least_runs <= spec.most_runs || !said.contains("most_runs")
             ? Result<>()
             : fail(Fault::usage,
                    fmt::format("at least {} runs and at most {} cannot be", spec.least_runs, spec.most_runs),
                    "choose --least-runs <= --most-runs");
}

}  // namespace

Said said(const Spec& spec) {
  Said names;
  add_changed(names, spec_options(), spec);
  workloads::Parameters common = spec.parameters;
  common.sink = Incoming::Sink::discard;  // as usual: it follows from the Spec's
  add_changed(names, workloads::common_options(), common);
  add_changed(names, channel_options(), spec.channel);
  const auto workload = workloads::find_workload(spec.workload);
  const auto defaults = workload ? workloads::own_values(**workload, {}) : OptionValues{};
  for (const auto& [name, value] : spec.parameters.own) {
    const auto usual = defaults ? defaults->find(name) : OptionValues::const_iterator{};
    const bool follows = spec.file && workload && name == (*workload)->traits().file_size;
    if (defaults && !follows && (usual == defaults->end() || usual->second != value)) {
      names.insert(name);
    }
  }
  return names;
}

Result<> settle(Spec& spec, const Said& said) {
  WAGGLE_TRY(spec_options().check(spec));
  WAGGLE_TRY(workloads::common_options().check(spec.parameters));
  WAGGLE_TRY(channel_options().check(spec.channel));
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  WAGGLE_LET(own, workloads::own_values(*workload, spec.parameters.own));
  spec.parameters.own = std::move(own);
  spec.parameters.sink = spec.sink == Sink::discard ? Incoming::Sink::discard : Incoming::Sink::file;
  WAGGLE_TRY(check_traits(*workload, said));
  WAGGLE_TRY(settle_file(spec, *workload, said));
  WAGGLE_TRY(workload->check(spec.parameters));
  WAGGLE_TRY(check_place(spec));
  spec.work = std::filesystem::absolute(spec.work);
  WAGGLE_TRY(check_runs(spec, said));
  WAGGLE_LET(cpus, parse_cpus(spec.cpus, spec.pci));
  std::tie(spec.server_cpu, spec.client_cpu) = cpus;
  return {};
}

RunBounds run_bounds(const Spec& spec) {
  if (spec.least_runs != 0) {
    return {.least = spec.least_runs, .most = std::max(spec.least_runs, spec.most_runs)};
  }
  const std::size_t candidates = std::max<std::size_t>(1, spec.pairs.size());
  const std::size_t needed =
      std::max(kLeastPilot, statistics::least_covering(statistics::comparisons_among(candidates)));
  return {.least = static_cast<std::uint32_t>(std::min<std::size_t>(needed, spec.most_runs)), .most = spec.most_runs};
}

/// Copies are modelled where probes cannot run, but not when somebody has asked for probes.
Result<> check_probing() {
  const auto grades = measure::grades();
  std::string reason;
  for (const auto grade : {measure::Grade::counted, measure::Grade::traced}) {
    const auto found = grades.find(grade);
    if (found != grades.end() && found->second) {
      return {};
    }
    reason = found == grades.end() ? "" : found->second.error().text();
  }
  return fail(Fault::missing, fmt::format("--probed: nothing can be traced here: {}", reason));
}

}  // namespace waggle::experiment
