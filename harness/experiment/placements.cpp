// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/placements.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "harness/statistics/statistics.hpp"

namespace waggle::experiment {
namespace {

/// Cuts `sorted` until no part is wider than one placement; gives where parts begin after the first.
void cut(std::span<const double> sorted, std::size_t offset, std::vector<std::size_t>& begins) {
  if (sorted.size() < 2 || sorted.back() <= sorted.front() * kOtherPlacement) {
    return;
  }
  std::size_t widest = 1;
  for (std::size_t i = 2; i < sorted.size(); ++i) {
    if (sorted[i] * sorted[widest - 1] > sorted[widest] * sorted[i - 1]) {
      widest = i;
    }
  }
  cut(sorted.first(widest), offset, begins);
  begins.push_back(offset + widest);
  cut(sorted.subspan(widest), offset + widest, begins);
}

void describe(Group& group, const std::vector<double>& distances) {
  if (!distances.empty()) {
    group.lowest_ns = std::ranges::min(distances);
    group.highest_ns = std::ranges::max(distances);
    group.median_ns = statistics::median(distances);
  }
}

}  // namespace

bool is_moved(double before_ns, double after_ns) {
  return std::max(before_ns, after_ns) > kOtherPlacement * std::min(before_ns, after_ns);
}

std::vector<std::size_t> group_by_distance(const std::vector<double>& distances) {
  auto sorted = distances;
  std::ranges::sort(sorted);
  std::vector<std::size_t> begins;
  cut(sorted, 0, begins);
  std::vector<std::size_t> groups;
  for (const double distance : distances) {
    const auto group = std::ranges::count_if(begins, [&](std::size_t begin) { return distance >= sorted[begin]; });
    groups.push_back(static_cast<std::size_t>(group));
  }
  return groups;
}

std::size_t Group::fewest(const std::vector<bool>& live) const {
  auto least = std::numeric_limits<std::size_t>::max();
  for (std::size_t pair = 0; pair < live.size(); ++pair) {
    if (live[pair]) {
      least = std::min(least, runs[pair]);
    }
  }
  return least == std::numeric_limits<std::size_t>::max() ? 0 : least;
}

std::size_t Group::all_runs() const {
  return std::accumulate(runs.begin(), runs.end(), std::size_t{0});
}

Grouping group_runs(const std::vector<Placed>& runs, const std::vector<bool>& live) {
  std::vector<double> known;
  for (const Placed& run : runs) {
    if (run.distance_ns) {
      known.push_back(*run.distance_ns);
    }
  }
  const auto of_known = group_by_distance(known);
  const std::size_t unknown = of_known.empty() ? 0 : std::ranges::max(of_known) + 1;
  Grouping grouping;
  grouping.groups.resize(known.size() < runs.size() ? unknown + 1 : unknown);
  std::vector<std::vector<double>> distances(grouping.groups.size());
  for (Group& group : grouping.groups) {
    group.runs.resize(live.size());
  }
  std::size_t next = 0;
  for (const Placed& run : runs) {
    const std::size_t group = run.distance_ns ? of_known[next++] : unknown;
    grouping.of_run.push_back(group);
    ++grouping.groups[group].runs[run.pair];
    if (run.distance_ns) {
      distances[group].push_back(*run.distance_ns);
    }
  }
  for (std::size_t i = 0; i < grouping.groups.size(); ++i) {
    describe(grouping.groups[i], distances[i]);
    const auto rank = [&](std::size_t group) {
      return std::pair(grouping.groups[group].fewest(live), grouping.groups[group].all_runs());
    };
    if (!grouping.leading || rank(i) > rank(*grouping.leading)) {
      grouping.leading = i;
    }
  }
  return grouping;
}

}  // namespace waggle::experiment
