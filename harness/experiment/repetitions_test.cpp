// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/repetitions.hpp"

#include <catch2/catch.hpp>
#include <functional>

using namespace waggle::experiment;
using Timed = Repetitions::Timed;
using Verdict = Repetitions::Verdict;

namespace {

constexpr PilotRule kPilot{.least = 6, .most = 30, .target = 0.02, .budget_seconds = 1000};

Timed near(double value) {
  return {.value = value, .distance_ns = 75, .seconds = 1};
}
Timed far(double value) {
  return {.value = value, .distance_ns = 340, .seconds = 1};
}
Timed moved() {
  return {.value = 1, .distance_ns = 160, .moved = true, .seconds = 1};
}

/// Rounds in which every pair that needs it is run; the number of rounds until nobody does.
std::size_t play(Repetitions& repetitions, std::size_t pairs,
                 const std::function<Timed(std::size_t, std::size_t)>& run) {
  for (std::size_t round = 0; round < 200; ++round) {
    bool any = false;
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      if (repetitions.needs_more(pair)) {
        any = true;
        repetitions.note(pair, run(round, pair));
      }
    }
    if (!any) {
      return round;
    }
  }
  FAIL("it never ends");
  return 0;
}

}  // namespace

TEST_CASE("a steady pair is run six times, a noisy one as often as its pilot says") {
  Repetitions repetitions(2, kPilot, PlacementRule::same);
  CHECK(repetitions.missing(0) == 6);
  // Pair 1 varies by 3 %: 14 runs.
  const auto rounds = play(repetitions, 2, [](std::size_t round, std::size_t pair) {
    return near(pair == 0 ? 100 : round % 2 == 0 ? 103 : 97);
  });
  CHECK(rounds > 10);
  CHECK(rounds < 20);
  CHECK(repetitions.stopped(0) == Stop::interval);
  CHECK(repetitions.stopped(1) == Stop::interval);
}

TEST_CASE("only runs of one placement are counted, and all go on until all have enough there") {
  Repetitions repetitions(2, kPilot, PlacementRule::same);
  // After four rounds the CPUs are moved for good: what was made before is left behind.
  const auto rounds =
      play(repetitions, 2, [](std::size_t round, std::size_t) { return round < 4 ? near(100) : far(50); });
  CHECK(rounds == 10);
  CHECK(repetitions.stopped(0) == Stop::interval);
  CHECK(repetitions.stopped(1) == Stop::interval);
  // One pair was through before that: it is run again, together with the other one.
  Repetitions late(2, kPilot, PlacementRule::same);
  const auto noisy = [](std::size_t round, std::size_t pair) {
    const double value = pair == 0 ? 100 : round % 2 == 0 ? 110 : 90;
    return round < 7 ? near(value) : far(value);
  };
  for (std::size_t round = 0; round < 10; ++round) {
    for (std::size_t pair = 0; pair < 2; ++pair) {
      if (late.needs_more(pair)) {
        late.note(pair, noisy(round, pair));
      }
    }
  }
  CHECK(late.needs_more(0));
  CHECK(late.stopped(0) == Stop::interval);
}

TEST_CASE("a run that moved is repeated at once, twice at most, and does not count") {
  Repetitions repetitions(1, kPilot, PlacementRule::same);
  CHECK(repetitions.note(0, moved()) == Verdict::repeat);
  CHECK(repetitions.note(0, moved()) == Verdict::repeat);
  CHECK(repetitions.note(0, moved()) == Verdict::moved);
  CHECK(repetitions.note(0, near(100)) == Verdict::counts);
  CHECK(repetitions.missing(0) == 5);
  CHECK(repetitions.note(0, moved()) == Verdict::repeat);
}

TEST_CASE("nobody waits for ever for CPUs that are moved all the time") {
  Repetitions repetitions(1, kPilot, PlacementRule::same);
  CHECK(play(repetitions, 1, [](std::size_t, std::size_t) { return moved(); }) == 12);
  CHECK(repetitions.stopped(0) == Stop::placement);
  Repetitions once(1, {.least = 1, .most = 1}, PlacementRule::same);
  CHECK(once.note(0, moved()) == Verdict::repeat);
  CHECK(once.note(0, moved()) == Verdict::moved);
  CHECK_FALSE(once.needs_more(0));
  Repetitions changing(1, kPilot, PlacementRule::same);
  CHECK(play(changing, 1, [](std::size_t round, std::size_t) { return round % 2 == 0 ? near(1) : far(1); }) <= 12);
}

TEST_CASE("report repeats nothing, any counts what moved") {
  Repetitions report(1, {.least = 3, .most = 3}, PlacementRule::report);
  CHECK(report.note(0, moved()) == Verdict::moved);
  CHECK(play(report, 1, [](std::size_t round, std::size_t) { return round == 0 ? near(1) : far(1); }) == 2);
  Repetitions any(1, {.least = 3, .most = 3}, PlacementRule::any);
  CHECK(any.note(0, moved()) == Verdict::counts);
  CHECK(play(any, 1, [](std::size_t round, std::size_t) { return round == 0 ? near(1) : far(1); }) == 2);
  CHECK(any.stopped(0) == Stop::most_runs);
}

TEST_CASE("a pair that was dropped is not waited for") {
  Repetitions repetitions(2, kPilot, PlacementRule::same);
  repetitions.note(1, far(1));
  repetitions.drop(1);
  CHECK_FALSE(repetitions.needs_more(1));
  CHECK(play(repetitions, 2, [](std::size_t, std::size_t) { return near(1); }) == 6);
}
