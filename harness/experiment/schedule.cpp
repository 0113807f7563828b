// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/schedule.hpp"

#include <utility>

namespace waggle::experiment {

Schedule::Schedule(const Plan& plan)
    : pairs_(plan.pairs, State{.warmups = plan.warmups, .probed = plan.probed}), random_(plan.seed) {}

std::optional<Turn> Schedule::next() {
  while (true) {
    if (round_.empty()) {
      fill_round();
      if (round_.empty()) {
        return std::nullopt;
      }
    }
    const Turn turn = round_.back();
    round_.pop_back();
    if (due(turn)) {
      return turn;
    }
  }
}

void Schedule::set_timing(std::size_t pair, bool timing) {
  pairs_[pair].timing = timing;
}

void Schedule::drop(std::size_t pair) {
  pairs_[pair].dropped = true;
}

bool Schedule::due(const Turn& turn) const {
  const State& state = pairs_[turn.pair];
  return !state.dropped && (turn.kind != RunKind::timed || state.timing);
}

void Schedule::add_turns(std::size_t pair) {
  State& state = pairs_[pair];
  if (state.dropped) {
    return;
  }
  if (state.warmups > 0) {
    --state.warmups;
    round_.push_back({pair, RunKind::warmup});
    return;
  }
  if (state.timing) {
    round_.push_back({pair, RunKind::timed});
  }
  if (state.probed > 0) {
    --state.probed;
    round_.push_back({pair, RunKind::probed});
  }
}

void Schedule::fill_round() {
  ++rounds_;
  for (std::size_t pair = 0; pair < pairs_.size(); ++pair) {
    add_turns(pair);
  }
  // Fisher and Yates by hand: std::shuffle may differ between standard libraries, and a seed must mean one order.
  for (std::size_t i = round_.size(); i > 1; --i) {
    std::swap(round_[i - 1], round_[((random_() >> 32U) * i) >> 32U]);
  }
}

}  // namespace waggle::experiment
