// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/repetitions.hpp"

#include <algorithm>

namespace waggle::experiment {
namespace {

/// A run whose CPUs were moved is repeated so often at once.
constexpr std::size_t kMostRepeats = 2;
/// Fewer runs elsewhere are an odd probe, no move.
constexpr std::size_t kLeastOfAMove = 3;

}  // namespace

Repetitions::Repetitions(std::size_t pairs, const PilotRule& pilot, PlacementRule placement)
    : pilot_(pilot), placement_(placement), pairs_(pairs) {}

Repetitions::Verdict Repetitions::note(std::size_t pair, const Timed& run) {
  State& state = pairs_[pair];
  ++state.attempts;
  state.spent += run.seconds;
  Verdict verdict = Verdict::counts;
  if (run.moved && placement_ != PlacementRule::any) {
    const bool again =
        placement_ == PlacementRule::same && state.repeats < kMostRepeats && state.attempts < most(state);
    state.repeats += again ? 1 : 0;
    verdict = again ? Verdict::repeat : Verdict::moved;
  } else {
    state.repeats = 0;
    state.placed.push_back({.pair = pair, .distance_ns = run.distance_ns});
    state.values.push_back(run.value);
  }
  const Grouping grouping = group();
  count(grouping);
  settle(grouping);
  return verdict;
}

void Repetitions::drop(std::size_t pair) {
  pairs_[pair].live = false;
  pairs_[pair].needs_more = false;
}

std::size_t Repetitions::missing(std::size_t pair) const {
  const State& state = pairs_[pair];
  const std::size_t planned = state.planned ? state.planned->runs : pilot_.least;
  return state.needs_more ? std::max<std::size_t>(1, planned - std::min(planned, state.counted)) : 0;
}

/// As many again as planned, when CPUs are moved: nobody waits for ever for them to come back.
std::size_t Repetitions::most(const State& state) const {
  const std::size_t planned = state.planned ? state.planned->runs : pilot_.least;
  return placement_ == PlacementRule::same ? 2 * planned : planned;
}

Grouping Repetitions::group() const {
  std::vector<Placed> placed;
  std::vector<bool> live;
  for (const State& state : pairs_) {
    live.push_back(state.live);
    if (state.live) {
      placed.insert(placed.end(), state.placed.begin(), state.placed.end());
    }
  }
  return group_runs(placed, live);
}

/// Counts the runs of the placement that figures would come from now, and lets pilots decide that are complete.
void Repetitions::count(const Grouping& grouping) {
  std::size_t run = 0;
  for (State& state : pairs_) {
    if (!state.live) {
      continue;
    }
    std::vector<double> counted;
    for (const double value : state.values) {
      const bool here = grouping.of_run[run++] == grouping.leading;
      if (here || placement_ != PlacementRule::same) {
        counted.push_back(value);
      }
    }
    state.counted = counted.size();
    if (!state.planned && state.counted >= pilot_.least) {
      const double share = static_cast<double>(state.counted) / static_cast<double>(state.attempts);
      state.planned = plan(pilot_, counted, state.spent * share);
    }
  }
}

void Repetitions::settle(const Grouping& grouping) {
  const auto met =
      std::ranges::count_if(grouping.groups, [](const Group& group) { return group.all_runs() >= kLeastOfAMove; });
  const bool all_enough = std::ranges::all_of(pairs_, [](const State& state) { return !state.live || state.enough(); });
  // Where CPUs are moved all go on together, so that all get to the next placement.
  const bool together = placement_ == PlacementRule::same && met > 1 && !all_enough;
  for (State& state : pairs_) {
    if (state.live) {
      const bool done = (state.enough() && !together) || state.attempts >= most(state);
      state.stopped = state.enough() ? state.planned->because : done ? Stop::placement : Stop::no;
      state.needs_more = !done;
    }
  }
}

}  // namespace waggle::experiment
