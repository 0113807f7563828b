// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/hystart.hpp"
#include "datapaths/packet/testing/times.hpp"

#include <catch2/catch.hpp>

namespace waggle::packet {
namespace {

using Phase = HyStart::Phase;
constexpr std::uint64_t kBytes = 3000;

/// ACKs of one packet each; a round is ten of them.
struct Rounds {
  HyStart hystart;
  std::uint64_t number = 0;
  std::uint64_t grown = 0;

  /// One round with this RTT in ns.
  void round(Time rtt, int acks = 10) {
    grown = 0;
    for (int i = 0; i < acks; ++i, ++number) {
      // The round ends with the packet that was next to send when it began.
      grown += hystart.on_ack({.bytes = kBytes, .largest = number, .rtt = rtt, .next = number + 10});
    }
  }
};

TEST_CASE("slow start goes on while the round-trip time stays") {
  Rounds rounds;
  for (int i = 0; i < 30; ++i) {
    rounds.round(20'000'000);
    CHECK(rounds.hystart.phase() == Phase::slow_start);
    CHECK(rounds.grown == 10 * kBytes);
  }
}

TEST_CASE(
    "RFC 9406, 4.2: growth beyond the threshold leads to conservative slow start, and five rounds later out of it") {
  // max(4 ms, min(RTT / 8, 16 ms)) for RTTs of 1, 64 and 400 ms (RFC 9406, 4.2).
  const auto [rtt, threshold] = GENERATE(table<Time, Time>({{1, 4}, {64, 8}, {400, 16}}));
  Rounds rounds;
  rounds.round(rtt * kMs);
  rounds.round(rtt * kMs);
  rounds.round((rtt + threshold) * kMs - 1000);
  CHECK(rounds.hystart.phase() == Phase::slow_start);
  Rounds late;
  late.round(rtt * kMs);
  late.round(rtt * kMs);
  late.round((rtt + threshold) * kMs + 1000);
  REQUIRE(late.hystart.phase() == Phase::conservative);
  int more = 0;
  while (late.hystart.phase() == Phase::conservative) {
    late.round((rtt + threshold) * kMs + 1000);
    if (late.hystart.phase() == Phase::conservative) {
      CHECK(late.grown == 10 * (kBytes / 4));
    }
    REQUIRE(++more < 20);
  }
  CHECK(more >= 4);
  CHECK(more <= 5);
  CHECK(late.hystart.phase() == Phase::done);
  CHECK(late.hystart.on_ack({.bytes = kBytes}) == 0);
}

TEST_CASE("RFC 9406, 4.2: a jitter leads back to slow start") {
  Rounds rounds;
  rounds.round(20'000'000);
  rounds.round(20'000'000);
  rounds.round(30'000'000);
  REQUIRE(rounds.hystart.phase() == Phase::conservative);
  rounds.round(20'000'000);
  CHECK(rounds.hystart.phase() == Phase::slow_start);
}

TEST_CASE("RFC 9406, 4.2: fewer than eight samples prove nothing") {
  HyStart hystart;
  std::uint64_t number = 0;
  for (const Time rtt : {20'000'000U, 20'000'000U, 90'000'000U}) {
    for (int i = 0; i < 7; ++i, ++number) {
      hystart.on_ack({.bytes = kBytes, .largest = number, .rtt = rtt, .next = number + 7});
    }
  }
  CHECK(hystart.phase() == Phase::slow_start);
}

}  // namespace
}  // namespace waggle::packet
