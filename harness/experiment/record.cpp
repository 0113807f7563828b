// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/record.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/experiment/ceiling.hpp"
#include "harness/experiment/conditions.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/placements.hpp"
#include "harness/experiment/summary.hpp"
#include "harness/measure/cpu_topology.hpp"
#include "harness/measure/environment.hpp"
#include "harness/record/archive.hpp"
#include "harness/record/metric.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::experiment {
namespace {

/// The runs of all contestants that may be compared, with the contestant of each, in the order of the record.
struct TimedRuns {
  std::vector<record::Run*> runs;
  std::vector<Placed> placed;
  std::vector<bool> live;
};

TimedRuns timed_runs(std::vector<record::Contestant>& contestants) {
  TimedRuns timed;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    timed.live.push_back(contestants[i].ok());
    for (record::Run& run : contestants[i].runs) {
      if (counts(run, {})) {
        timed.runs.push_back(&run);
        timed.placed.push_back(
            {.pair = i, .distance_ns = run.conditions ? distance_ns(*run.conditions) : std::nullopt});
      }
    }
  }
  return timed;
}

/// Where CPUs were moved in all runs of a contestant there is nothing better to count.
bool count_moved_runs(std::vector<record::Contestant>& contestants) {
  bool any = false;
  for (record::Contestant& contestant : contestants) {
    auto& runs = contestant.runs;
    if (!contestant.ok() || std::ranges::any_of(runs, [](const record::Run& run) { return counts(run, {}); })) {
      continue;
    }
    for (record::Run& run : runs) {
      if (run.kind == record::Kind::moved) {
        run.kind = record::Kind::timed;
        any = true;
      }
    }
  }
  return any;
}

record::PlacementGroup recorded_group(const Group& group, const std::vector<record::Contestant>& contestants) {
  record::PlacementGroup told{
      .lowest_ns = group.lowest_ns, .median_ns = group.median_ns, .highest_ns = group.highest_ns, .runs = {}};
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    if (contestants[i].ok()) {
      told.runs[contestants[i].label] = group.runs[i];
    }
  }
  return told;
}

/// Marks every timed run with its group, and says which one the figures come from.
record::Placement settle_placement(const Spec& spec, const std::string& share,
                                   std::vector<record::Contestant>& contestants) {
  const bool nothing_held = count_moved_runs(contestants);
  const TimedRuns timed = timed_runs(contestants);
  const Grouping grouping = group_runs(timed.placed, timed.live);
  for (std::size_t run = 0; run < timed.runs.size(); ++run) {
    if (timed.runs[run]->conditions) {
      timed.runs[run]->conditions->group = grouping.of_run[run];
    }
  }
  record::Placement placement{.rule = spec.placement,
                              .cpus = {{"server", spec.server_cpu}, {"client", spec.client_cpu}},
                              .share = share,
                              .groups = {},
                              .counted = {}};
  for (const Group& group : grouping.groups) {
    placement.groups.push_back(recorded_group(group, contestants));
  }
  const bool held = !nothing_held && grouping.leading && grouping.groups[*grouping.leading].fewest(timed.live) > 0;
  if (held && spec.placement != PlacementRule::any &&
      std::ranges::all_of(timed.runs, [](const record::Run* run) { return run->conditions.has_value(); })) {
    placement.counted = grouping.leading;
  }
  return placement;
}

using GroupOrAll = std::optional<std::size_t>;

/// Figures of this contestant divided by those of the best one over the same link, within rounds that both have; of
/// `candidates` in all, between which that one was chosen.
std::optional<record::Ratio> ratio_of(const record::Workload& workload, GroupOrAll group,
                                      const record::Contestant& contestant, const record::Contestant& best,
                                      std::size_t candidates) {
  std::map<std::uint64_t, double> theirs;
  for (const record::Run& run : best.runs) {
    if (counts(run, group) && run.round) {
      theirs[*run.round] = metric(workload, run);
    }
  }
  std::vector<double> ratios;
  for (const record::Run& run : contestant.runs) {
    if (!counts(run, group) || !run.round) {
      continue;
    }
    const auto found = theirs.find(*run.round);
    if (found != theirs.end() && found->second != 0) {
      ratios.push_back(metric(workload, run) / found->second);
    }
  }
  if (ratios.empty()) {
    return std::nullopt;
  }
  return record::Ratio{.to = best.label,
                       .interval = covered_interval(ratios, statistics::comparisons_among(candidates))};
}

/// Of each contestant; nothing of those that have none.
using Summaries = std::vector<std::optional<record::Summary>>;

/// Adds how each contestant compares with the best one.
void add_ratios(const record::Workload& workload, GroupOrAll group, const std::vector<record::Contestant>& contestants,
                Summaries& summaries) {
  std::map<std::string, std::size_t> best;
  std::map<std::string, std::size_t> candidates;
  const auto figure = [&](std::size_t i) { return metric(workload, *summaries[i]).median; };
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    if (!summaries[i]) {
      continue;
    }
    ++candidates[contestants[i].link];
    const auto [at, first] = best.try_emplace(contestants[i].link, i);
    if (!first && is_better(workload, figure(i), figure(at->second))) {
      at->second = i;
    }
  }
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    if (summaries[i]) {
      const std::string& link = contestants[i].link;
      summaries[i]->ratio = ratio_of(workload, group, contestants[i], contestants[best.at(link)], candidates.at(link));
    }
  }
}

/// Runs of each contestant that a second placement must have for a table of its own.
constexpr std::size_t kLeastForATable = 3;

bool has_enough(const record::PlacementGroup& group) {
  return std::ranges::all_of(group.runs, [](const auto& runs) { return runs.second >= kLeastForATable; });
}

Summaries summaries_of(const Spec& spec, const RecordFrame& frame, GroupOrAll group,
                       const std::vector<record::Contestant>& contestants, const std::vector<Entry>& entries) {
  Summaries summaries(contestants.size());
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    if (contestants[i].ok()) {
      summaries[i] =
          summarise(contestants[i].runs, contestants[i].parties, spec.parameters.clients, entries[i].stopped, group);
    }
  }
  add_ratios(frame.workload, group, contestants, summaries);
  return summaries;
}

record::Contestant contestant_of(const Entry& entry) {
  record::Contestant contestant;
  contestant.label = entry.label;
  contestant.link = entry.link;
  contestant.status = entry.unavailable ? record::Status::unavailable
                      : entry.problem   ? record::Status::failed
                                        : record::Status::ok;
  if (entry.problem) {
    contestant.reason = entry.problem->what;
    contestant.hint = entry.problem->hint;
    contestant.fault = entry.problem->fault;
  }
  contestant.probe_problem = entry.probe_problem;
  contestant.parties = entry.parties;
  contestant.runs = entry.runs;
  return contestant;
}

}  // namespace

record::Asked asked(const Spec& spec) {
  return record::read<record::Asked>(to_json(spec)).value();
}

Result<RecordFrame> begin_frame(const Spec& spec) {
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  WAGGLE_LET(revision, record::read<record::Revision>(measure::revision()));
  return RecordFrame{.created = timestamp(),
                     .git = std::move(revision),
                     .workload = {.name = std::string(workload->name()),
                                  .bulk = workload->bulk(),
                                  .idle = workload->idle(),
                                  .fills_sink = workload->traits().fills_sink,
                                  .file_size = std::string(workload->traits().file_size),
                                  .server_sends = workload->server_sends(spec.parameters)},
                     .environment = {},
                     .share = std::string(name(measure::CpuTopology::read().shared(spec.server_cpu, spec.client_cpu)))};
}

record::Record build_record(const Spec& spec, const RecordFrame& frame, const std::vector<Entry>& entries) {
  record::Record record{.created = frame.created,
                        .finished = timestamp(),
                        .command_line = spec.command_line,
                        .git = frame.git,
                        .workload = frame.workload,
                        .spec = asked(spec),
                        .environment = frame.environment,
                        .placement = {},
                        .contestants = {}};
  auto& contestants = record.contestants;
  std::ranges::transform(entries, std::back_inserter(contestants), contestant_of);
  const record::Placement& placement = record.placement.emplace(settle_placement(spec, frame.share, contestants));
  auto counted = summaries_of(spec, frame, placement.counted, contestants, entries);
  const auto loops = read_loops(loops_place());
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    if (counted[i]) {
      contestants[i].ceiling =
          ceiling(contestants[i].parties, contestants[i].link, counted[i]->goodput_bits_per_second.median, loops);
      contestants[i].summary = std::move(counted[i]);
    }
  }
  for (std::size_t group = 0; group < placement.groups.size() && placement.counted; ++group) {
    if (group == *placement.counted || !has_enough(placement.groups[group])) {
      continue;
    }
    auto others = summaries_of(spec, frame, group, contestants, entries);
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      if (others[i]) {
        contestants[i].elsewhere.push_back({.group = group, .summary = *std::move(others[i])});
      }
    }
  }
  return record;
}

std::string timestamp() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace waggle::experiment
