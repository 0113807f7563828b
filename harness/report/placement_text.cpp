// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/placement_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "harness/report/grid.hpp"
#include "harness/report/record_text.hpp"

namespace waggle::report {
namespace {

std::size_t runs_in(const record::PlacementGroup& group) {
  std::size_t sum = 0;
  for (const auto& [label, runs] : group.runs) {
    sum += runs;
  }
  return sum;
}

std::size_t moved_runs(const record::Record& record) {
  std::size_t sum = 0;
  for (const auto& contestant : record.contestants) {
    sum += contestant.ok() ? runs_of(contestant, record::Kind::moved) : 0;
  }
  return sum;
}

std::string between(const record::Placement& placement) {
  const auto* shared = placement.share == "core"   ? "a core"
                       : placement.share == "l3"   ? "an L3"
                       : placement.share == "node" ? "a NUMA node"
                                                   : "no cache that the machine tells of";
  std::vector<std::string> hosts;
  std::vector<int> cpus;
  for (const auto& [host, cpu] : placement.cpus) {
    hosts.push_back(host);
    cpus.push_back(cpu);
  }
  return std::ranges::adjacent_find(cpus, std::not_equal_to()) == cpus.end() && !cpus.empty()
             ? fmt::format("{} share CPU {}", fmt::join(hosts, " and "), cpus.front())
             : fmt::format("between CPU {}, which share {}", fmt::join(cpus, " and CPU "), shared);
}

/// All groups as one.
record::PlacementGroup whole(const std::vector<record::PlacementGroup>& groups) {
  record::PlacementGroup all;
  for (const auto& group : groups) {
    if (!group.lowest_ns) {
      continue;
    }
    all.lowest_ns = std::min(all.lowest_ns.value_or(*group.lowest_ns), *group.lowest_ns);
    all.highest_ns = std::max(all.highest_ns, group.highest_ns);
  }
  return all;
}

/// Whether figures were taken together that may differ by where they were made.
bool is_mixed(const record::Placement& placement) {
  return !placement.counted && placement.rule != record::PlacementRule::any;
}

}  // namespace

bool tells_placement(const record::Record& record) {
  return record.placement && !record.placement->groups.empty();
}

record::PlacementGroup figures_from(const record::Placement& placement) {
  return placement.counted ? placement.groups.at(*placement.counted) : whole(placement.groups);
}

std::optional<std::size_t> counted_group(const record::Record& record) {
  return record.placement ? record.placement->counted : std::nullopt;
}

std::string distance_text(const record::PlacementGroup& group) {
  if (!group.lowest_ns || !group.highest_ns) {
    return "–";
  }
  const auto lowest = format_number(*group.lowest_ns);
  const auto highest = format_number(*group.highest_ns);
  return lowest == highest ? lowest + " ns" : fmt::format("{} – {} ns", lowest, highest);
}

std::string placement_note(const record::Record& record) {
  const auto& placement = *record.placement;
  const auto& groups = placement.groups;
  const auto moved = moved_runs(record);
  std::size_t all = moved;
  for (const auto& group : groups) {
    all += runs_in(group);
  }
  std::string note = between(placement);
  if (!placement.counted) {
    note += is_mixed(placement) ? "; no placement has runs of all, so all runs count" : "; all runs count";
    return note;
  }
  const auto counted = *placement.counted;
  if (const auto runs = runs_in(groups.at(counted)); runs != all) {
    note += fmt::format("; {} of {} timed runs", runs, all);
  }
  if (moved > 0) {
    note += fmt::format(", {} moved midway", moved);
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i != counted) {
      note += fmt::format(", {} at {}", runs_in(groups[i]), distance_text(groups[i]));
    }
  }
  return note;
}

std::string placement_text(const record::Record& record, const Style& style) {
  if (!tells_placement(record)) {
    return "";
  }
  const auto& placement = *record.placement;
  const auto line = fmt::format("Placement: {} for a cache line there and back {}.",
                                distance_text(figures_from(placement)), placement_note(record));
  const Ink ink = is_mixed(placement) ? Ink::warning : Ink::plain;
  return "\n" + paint(style, ink, wrap(style, line, 2)) + "\n";
}

std::vector<record::Record> elsewhere(const record::Record& record) {
  std::vector<record::Record> records;
  const auto groups = record.placement ? record.placement->groups.size() : 0;
  for (std::size_t group = 0; group < groups; ++group) {
    if (group == record.placement->counted) {
      continue;
    }
    record::Record other = record;
    other.placement->counted = group;
    bool all = true;
    bool any = false;
    for (auto& contestant : other.contestants) {
      if (!contestant.ok()) {
        continue;
      }
      any = true;
      const auto found = std::ranges::find(contestant.elsewhere, group, &record::Elsewhere::group);
      all = all && found != contestant.elsewhere.end();
      if (found != contestant.elsewhere.end()) {
        contestant.summary = found->summary;
      }
      contestant.elsewhere.clear();
    }
    if (all && any) {
      records.push_back(std::move(other));
    }
  }
  return records;
}

}  // namespace waggle::report
