// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <map>

#include "datapaths/packet/simulated/testing/scenario.hpp"
#include "datapaths/packet/simulated/testing/seeds.hpp"

namespace waggle::packet::testing {
namespace {

// WAGGLE_SEEDS: how many; WAGGLE_SEED: only this one.
TEST_CASE("whole transfers over links that do all that links can do") {
  const std::uint64_t count = number_from("WAGGLE_SEEDS", 2500);
  const std::uint64_t only = number_from("WAGGLE_SEED", 0);
  std::uint64_t verified = 0;
  std::uint64_t packets = 0;
  std::uint64_t unhappy = 0;
  std::map<std::string, int> failures;
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= (only != 0 ? only : count); ++seed) {
    const Scenario scenario(seed);
    INFO(scenario.describe());
    Outcome outcome;
    REQUIRE_NOTHROW(outcome = run(scenario));
    packets += outcome.packets;
    verified += outcome.verified ? 1 : 0;
    if (!outcome.verified) {
      ++failures[outcome.failure];
      unhappy += scenario.mishap == Mishap::none || scenario.mishap == Mishap::black_hole ? 1 : 0;
    }
    if (only != 0) {
      std::cout << scenario.describe() << "\n  " << (outcome.verified ? "verified" : outcome.failure) << " after "
                << static_cast<double>(outcome.took) / 1e9 << " s, " << outcome.packets << " packets, "
                << outcome.retransmissions << " retransmissions, " << outcome.spurious << " of them needless\n";
    }
  }
  std::cout << verified << " of " << count << " transfers verified, " << packets << " packets seen by clients\n";
  for (const auto& [failure, times] : failures) {
    std::cout << "  " << times << " x " << failure << "\n";
  }
  std::cout << unhappy << " failed by bad luck alone\n";
  // Without a mishap that must end it, a transfer may only fail by sheer bad luck.
  CHECK(unhappy * 100 <= count);
  if (only == 0) {
    CHECK(verified * 10 >= count * 7);
  }
}

}  // namespace
}  // namespace waggle::packet::testing
