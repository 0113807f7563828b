// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "harness/record/names.hpp"

namespace waggle::experiment {

/// Warm-up, timed or probed.
using RunKind = record::Kind;

struct Turn {
  std::size_t pair = 0;
  RunKind kind = RunKind::timed;
  bool operator==(const Turn&) const = default;
};

/// The order of the runs. All pairs take their turns in rounds, each round in an order of its own drawn from the seed,
/// so that a machine that drifts drifts for all. Warm-up rounds come first; probed runs are spread over the timed
/// rounds.
class Schedule {
 public:
  struct Plan {
    std::size_t pairs = 0;
    std::uint32_t warmups = 1;
    std::uint32_t probed = 1;
    std::uint64_t seed = 1;
  };
  explicit Schedule(const Plan& plan);

  /// The next run, or nothing when all pairs are done.
  std::optional<Turn> next();
  /// The round that the last turn was one of, from 0.
  std::size_t round() const { return rounds_ - 1; }
  /// The same run once more before all others, in the same round.
  void repeat(const Turn& turn) { round_.push_back(turn); }
  /// Whether this pair is given timed runs in this and the next rounds; probed ones that are still due are made anyway.
  void set_timing(std::size_t pair, bool timing);
  /// No more runs of this pair at all.
  void drop(std::size_t pair);

 private:
  struct State {
    std::uint32_t warmups = 0;  ///< still due, as the following
    std::uint32_t probed = 0;
    bool timing = true;
    bool dropped = false;
  };
  void fill_round();
  void add_turns(std::size_t pair);
  bool due(const Turn& turn) const;

  std::vector<State> pairs_;
  std::vector<Turn> round_;  ///< the next turn last
  std::size_t rounds_ = 0;
  std::mt19937_64 random_;
};

}  // namespace waggle::experiment
