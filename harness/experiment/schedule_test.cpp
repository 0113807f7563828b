// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/schedule.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

using namespace waggle::experiment;

namespace {

/// Takes turns until every pair has `timed` timed runs.
std::vector<Turn> play(const Schedule::Plan& plan, int timed) {
  Schedule schedule(plan);
  std::map<std::size_t, int> runs;
  std::vector<Turn> turns;
  while (const auto turn = schedule.next()) {
    turns.push_back(*turn);
    REQUIRE(turns.size() < 1000);
    if (turn->kind == RunKind::timed && ++runs[turn->pair] == timed) {
      schedule.set_timing(turn->pair, false);
    }
  }
  return turns;
}

auto count(const std::vector<Turn>& turns, const Turn& turn) {
  return std::ranges::count(turns, turn);
}

}  // namespace

TEST_CASE("every pair gets its warm-ups first, then its timed and probed runs") {
  const auto turns = play({.pairs = 3, .warmups = 2, .probed = 2, .seed = 7}, 5);
  CHECK(turns.size() == 3 * (2 + 5 + 2));
  for (std::size_t pair = 0; pair < 3; ++pair) {
    CHECK(count(turns, {pair, RunKind::warmup}) == 2);
    CHECK(count(turns, {pair, RunKind::timed}) == 5);
    CHECK(count(turns, {pair, RunKind::probed}) == 2);
  }
  CHECK(std::all_of(turns.begin(), turns.begin() + 6, [](const Turn& turn) { return turn.kind == RunKind::warmup; }));
}

TEST_CASE("pairs are interleaved: nobody is a round ahead") {
  const auto turns = play({.pairs = 4, .warmups = 0, .probed = 0, .seed = 3}, 10);
  for (std::size_t round = 0; round < 10; ++round) {
    std::set<std::size_t> seen;
    for (std::size_t i = 0; i < 4; ++i) {
      seen.insert(turns[round * 4 + i].pair);
    }
    CHECK(seen.size() == 4);
  }
}

TEST_CASE("a seed means one order, another seed another") {
  const Schedule::Plan plan{.pairs = 6, .warmups = 1, .probed = 1, .seed = 42};
  CHECK(play(plan, 5) == play(plan, 5));
  Schedule::Plan other = plan;
  other.seed = 43;
  CHECK(play(plan, 5) != play(other, 5));
}

TEST_CASE("a dropped pair takes no more turns, the others all of theirs") {
  Schedule schedule({.pairs = 2, .warmups = 1, .probed = 1, .seed = 5});
  int runs = 0;
  schedule.drop(1);
  while (const auto turn = schedule.next()) {
    CHECK(turn->pair == 0);
    if (turn->kind == RunKind::timed && ++runs == 3) {
      schedule.set_timing(0, false);
    }
  }
  CHECK(runs == 3);
}

TEST_CASE("a pair that is timed enough at once is still probed") {
  const auto turns = play({.pairs = 1, .warmups = 0, .probed = 3, .seed = 1}, 1);
  CHECK(count(turns, {0, RunKind::timed}) == 1);
  CHECK(count(turns, {0, RunKind::probed}) == 3);
}

TEST_CASE("a run is repeated at once and in its round, and a pair can be given timed runs again") {
  Schedule schedule({.pairs = 2, .warmups = 0, .probed = 0, .seed = 1});
  const auto first = schedule.next();
  REQUIRE(first);
  schedule.repeat(*first);
  CHECK(schedule.next() == first);
  CHECK(schedule.round() == 0);
  CHECK(schedule.next()->pair != first->pair);
  schedule.set_timing(0, false);
  CHECK(schedule.next()->pair == 1);
  CHECK(schedule.round() == 1);
  schedule.set_timing(0, true);
  schedule.set_timing(1, false);
  CHECK(schedule.next()->pair == 0);
  CHECK(schedule.round() == 2);
  schedule.set_timing(0, false);
  CHECK_FALSE(schedule.next());
}
