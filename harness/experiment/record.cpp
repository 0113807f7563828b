// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/record.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/experiment/ceiling.hpp"
#include "harness/experiment/conditions.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/metric.hpp"
#include "harness/experiment/placements.hpp"
#include "harness/experiment/summary.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// The runs of all pairs that may be compared, with the pair of each, in the order of the record.
struct TimedRuns {
  std::vector<json*> runs;
  std::vector<Placed> placed;
  std::vector<bool> live;
};

TimedRuns timed_runs(json& pairs) {
  TimedRuns timed;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    timed.live.push_back(pairs[i].at("status") == "ok");
    for (json& run : pairs[i].at("runs")) {
      if (counts(run, nullptr)) {
        timed.runs.push_back(&run);
        timed.placed.push_back(
            {.pair = i, .distance_ns = run.contains("conditions") ? distance_ns(run.at("conditions")) : std::nullopt});
      }
    }
  }
  return timed;
}

/// Where CPUs were moved in all runs of a pair there is nothing better to count.
bool count_moved_runs(json& pairs) {
  bool any = false;
  for (json& pair : pairs) {
    auto& runs = pair.at("runs");
    if (pair.at("status") != "ok" || std::ranges::any_of(runs, [](const json& run) { return counts(run, nullptr); })) {
      continue;
    }
    for (json& run : runs) {
      if (run.at("kind") == "moved") {
        run["kind"] = "timed";
        any = true;
      }
    }
  }
  return any;
}

json group_json(const Group& group, const json& pairs) {
  json runs = json::object();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].at("status") == "ok") {
      runs[pairs[i].at("label").get<std::string>()] = group.runs[i];
    }
  }
  return {{"lowest_ns", nullable(group.lowest_ns)},
          {"median_ns", nullable(group.median_ns)},
          {"highest_ns", nullable(group.highest_ns)},
          {"runs", runs}};
}

/// Marks every timed run with its group, and says which one the figures come from: the record's "placement".
json settle_placement(const Spec& spec, const std::string& share, json& pairs) {
  const bool nothing_held = count_moved_runs(pairs);
  const TimedRuns timed = timed_runs(pairs);
  const Grouping grouping = group_runs(timed.placed, timed.live);
  for (std::size_t run = 0; run < timed.runs.size(); ++run) {
    if (timed.runs[run]->contains("conditions")) {
      (*timed.runs[run])["conditions"]["group"] = grouping.of_run[run];
    }
  }
  json groups = json::array();
  for (const Group& group : grouping.groups) {
    groups.push_back(group_json(group, pairs));
  }
  const bool held = !nothing_held && grouping.leading && grouping.groups[*grouping.leading].fewest(timed.live) > 0;
  const bool one = held && spec.placement != PlacementRule::any &&
                   std::ranges::all_of(timed.runs, [](const json* run) { return run->contains("conditions"); });
  return {{"rule", name(spec.placement)},
          {"server_cpu", spec.server_cpu},
          {"client_cpu", spec.client_cpu},
          {"share", share},
          {"groups", groups},
          {"counted", one ? json(*grouping.leading) : json(nullptr)}};
}

/// Figures of this pair divided by those of the best one over the same link, within rounds that both have.
json ratio_json(const json& workload, const json& group, const json& pair, const json& best) {
  std::map<std::uint64_t, double> theirs;
  for (const json& run : best.at("runs")) {
    if (counts(run, group) && run.contains("round")) {
      theirs[run.at("round")] = metric(workload, run);
    }
  }
  std::vector<double> ratios;
  for (const json& run : pair.at("runs")) {
    if (!counts(run, group) || !run.contains("round")) {
      continue;
    }
    const auto found = theirs.find(run.at("round"));
    if (found != theirs.end() && found->second != 0) {
      ratios.push_back(metric(workload, run) / found->second);
    }
  }
  if (ratios.empty()) {
    return nullptr;
  }
  json ratio = to_json(interval_of(ratios));
  ratio["to"] = best.at("label");
  return ratio;
}

/// The interval of what counts in this workload.
const json& main_interval(const json& workload, const json& summary) {
  return workload.value("idle", false)     ? summary.at("cpu_share").at("processes")
         : workload.at("bulk").get<bool>() ? summary.at("goodput_bits_per_second")
                                           : summary.at("operations_per_second");
}

/// Adds to summaries[i], that of pairs[i] or null, how the pair compares with the best one.
void add_ratios(const json& workload, const json& group, const json& pairs, std::vector<json>& summaries) {
  std::map<std::string, std::size_t> best;
  const auto figure = [&](std::size_t i) { return main_interval(workload, summaries[i]).at("median").get<double>(); };
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (summaries[i].is_null()) {
      continue;
    }
    const auto [at, first] = best.try_emplace(pairs[i].at("link"), i);
    if (!first && is_better(workload, figure(i), figure(at->second))) {
      at->second = i;
    }
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!summaries[i].is_null()) {
      summaries[i]["ratio"] = ratio_json(workload, group, pairs[i], pairs[best.at(pairs[i].at("link"))]);
    }
  }
}

/// Runs of each pair that a second placement must have for a table of its own.
constexpr std::size_t kLeastForATable = 3;

bool has_enough(const json& group) {
  return std::ranges::all_of(group.at("runs"), [](const json& runs) { return runs >= kLeastForATable; });
}

std::vector<json> summaries_of(const Spec& spec, const RecordFrame& frame, const json& group, const json& entries,
                               const std::vector<PairRecord>& pairs) {
  std::vector<json> summaries;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    summaries.push_back(entries[i].at("status") == "ok" ? summarise(entries[i].at("runs"), pairs[i].model,
                                                                    spec.parameters.clients, pairs[i].stopped, group)
                                                        : json());
  }
  if (frame.workload.is_object()) {
    add_ratios(frame.workload, group, entries, summaries);
  }
  return summaries;
}

json pair_json(const PairRecord& pair) {
  json entry{{"label", pair.pair.label()},
             {"sender", pair.pair.sender},
             {"receiver", pair.pair.receiver},
             {"link", pair.pair.link},
             {"status", pair.unavailable ? "unavailable"
                        : pair.problem   ? "failed"
                                         : "ok"},
             {"runs", pair.runs}};
  if (pair.problem) {
    entry["reason"] = pair.problem->what;
    entry["hint"] = pair.problem->hint;
    entry["fault"] = name(pair.problem->fault);
  }
  if (pair.probe_problem) {
    entry["probe_problem"] = *pair.probe_problem;
  }
  if (!pair.facts.is_null()) {
    entry["facts"] = pair.facts;
  }
  if (!pair.model.is_null()) {
    entry["model"] = pair.model;
  }
  return entry;
}

}  // namespace

json build_record(const Spec& spec, const RecordFrame& frame, const std::vector<PairRecord>& pairs) {
  json entries = json::array();
  for (const PairRecord& pair : pairs) {
    entries.push_back(pair_json(pair));
  }
  const json placement = settle_placement(spec, frame.share, entries);
  const auto counted = summaries_of(spec, frame, placement.at("counted"), entries, pairs);
  const auto loops = read_loops(loops_place());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (counted[i].is_null()) {
      continue;
    }
    entries[i]["summary"] = counted[i];
    const double goodput = counted[i].at("goodput_bits_per_second").at("median");
    if (json most = ceiling(pairs[i].facts, pairs[i].pair.link, goodput, loops); !most.is_null()) {
      entries[i]["ceiling"] = std::move(most);
    }
  }
  const json& groups = placement.at("groups");
  for (std::size_t group = 0; group < groups.size() && !placement.at("counted").is_null(); ++group) {
    if (group == placement.at("counted") || !has_enough(groups[group])) {
      continue;
    }
    const auto others = summaries_of(spec, frame, group, entries, pairs);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (!others[i].is_null()) {
        entries[i]["elsewhere"].push_back({{"group", group}, {"summary", others[i]}});
      }
    }
  }
  return {{"schema", "waggle-record/1"},
          {"created", frame.created},
          {"finished", timestamp()},
          {"command_line", spec.command_line},
          {"git", frame.git},
          {"workload", frame.workload},
          {"spec", to_json(spec)},
          {"environment", frame.environment},
          {"placement", placement},
          {"pairs", entries}};
}

std::string timestamp() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace waggle::experiment
