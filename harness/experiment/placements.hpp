// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

/// Which runs may be compared with each other: those between CPUs of one distance (docs/decisions/0013-placement.md).
namespace waggle::experiment {

/// Distances further apart than this are other ones. Of one distance, probes differ by about a tenth.
constexpr double kOtherPlacement = 1.5;

/// True when the CPUs were moved between two probes.
bool is_moved(double before_ns, double after_ns);

/// Sorts distances into groups within each of which they are less than kOtherPlacement apart, by cutting at the widest
/// gaps. Gives the group of each value; group 0 is the nearest.
std::vector<std::size_t> group_by_distance(const std::vector<double>& distances);

/// One run, as far as comparing goes.
struct Placed {
  std::size_t pair = 0;
  std::optional<double> distance_ns = {};  ///< nothing when it is not known, which is a group of its own, the last
};

struct Group {
  std::optional<double> lowest_ns = {};
  std::optional<double> median_ns = {};
  std::optional<double> highest_ns = {};
  std::vector<std::size_t> runs = {};  ///< of each pair
  /// Runs of the pair among `live` that has the fewest.
  std::size_t fewest(const std::vector<bool>& live) const;
  std::size_t all_runs() const;
};

struct Grouping {
  std::vector<Group> groups;
  std::vector<std::size_t> of_run;  ///< index of the group of each run
  /// The one whose figures count: that in which the pair with the fewest runs has the most, then that with the most
  /// runs in all, then the nearest. Nothing when there are no runs.
  std::optional<std::size_t> leading;
};

/// `live`: the pairs that are to be compared.
Grouping group_runs(const std::vector<Placed>& runs, const std::vector<bool>& live);

}  // namespace waggle::experiment
