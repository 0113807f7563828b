// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "harness/experiment/pilot.hpp"
#include "harness/experiment/placements.hpp"
#include "harness/experiment/spec.hpp"

namespace waggle::experiment {

/// How often pairs are run: as often as their pilots decide, counting runs of one placement only.
class Repetitions {
 public:
  Repetitions(std::size_t pairs, const PilotRule& pilot, PlacementRule placement);

  struct Timed {
    double value = 0;                        ///< what counts in this workload
    std::optional<double> distance_ns = {};  ///< of the CPUs; nothing when it is not known
    bool moved = false;                      ///< they were moved meanwhile
    double seconds = 0;                      ///< that the run took, set-up included
  };
  enum class Verdict {
    counts,  ///< as far as its placement counts
    moved,   ///< does not count
    repeat,  ///< likewise, and shall be made again at once
  };
  /// Takes note of a timed run, which may change what all pairs need.
  Verdict note(std::size_t pair, const Timed& run);
  /// Nothing more is asked of this pair, and nobody waits for it.
  void drop(std::size_t pair);

  bool needs_more(std::size_t pair) const { return pairs_[pair].needs_more; }
  /// How many runs of the pair are expected yet.
  std::size_t missing(std::size_t pair) const;
  /// Why no more runs are made; Stop::no while they are.
  Stop stopped(std::size_t pair) const { return pairs_[pair].stopped; }

 private:
  struct State {
    bool live = true;
    bool needs_more = true;
    Stop stopped = Stop::no;
    std::vector<Placed> placed;
    std::vector<double> values;
    std::size_t counted = 0;   ///< of these, those that count as things stand
    std::size_t attempts = 0;  ///< timed runs, those that do not count included
    std::size_t repeats = 0;   ///< of one run
    double spent = 0;
    std::optional<Planned> planned;
    bool enough() const { return planned && counted >= planned->runs; }
  };
  std::size_t most(const State& state) const;
  Grouping group() const;
  void count(const Grouping& grouping);
  void settle(const Grouping& grouping);

  PilotRule pilot_;
  PlacementRule placement_;
  std::vector<State> pairs_;
};

}  // namespace waggle::experiment
