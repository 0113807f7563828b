// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>

#include "datapaths/packet/transport/testing/lone_sender.hpp"

/// What a connection keeps count of goes back when its reason goes away, by whichever way.
namespace waggle::packet::testing {
namespace {

TEST_CASE("pieces of an expectation that is taken back count no more") {
  LoneSender peer;
  for (int i = 0; i < 3; ++i) {
    const ExtentId id{7, 0, 10'000};
    peer->expect({.id = id, .sink = Incoming::Sink::view, .file = {}});
    for (const std::uint64_t at : {100U, 300U, 500U}) {
      write_data_header(peer.room().data(), {0, 7, at});
      peer.receive(Type::data, kDataHeader + 10);
    }
    REQUIRE(peer->held().pieces == 3);
    peer->cancel(id);
    REQUIRE(peer->held().pieces == 0);
  }
}

TEST_CASE("an ACK only of what was taken for lost lets go of an extent that is over") {
  LoneSender sender(MtuSearch::kBase, 100);
  sender->offer({2, 0, 1U << 20U}, {}, nullptr);
  const auto numbers = sender.send(4);
  sender.pass(kMs);
  sender.acknowledge({{numbers[3], numbers[3]}});
  REQUIRE(sender->stats().lost_packets == 1);
  REQUIRE(sender->held().outbound == 2);
  sender.acknowledge({{numbers[0], numbers[0]}});
  REQUIRE(sender->stats().spurious_losses == 1);
  CHECK(sender->held().outbound == 1);
}

TEST_CASE("an ACK only of what was taken for lost is progress") {
  LoneSender sender(MtuSearch::kBase, 1U << 20U, 1U << 20U, 10 * kSecond);
  const auto numbers = sender.send(10);
  REQUIRE(sender.send(1).empty());  // the window is full
  sender.pass(20 * kMs);
  sender.acknowledge({{numbers[9], numbers[9]}});
  REQUIRE(sender->stats().lost_packets == 7);
  sender.acknowledge({{numbers[0], numbers[6]}});
  REQUIRE(sender->stats().spurious_losses == 7);
  sender.pass(10 * kSecond);
  sender->on_timer(sender.now);
  CHECK_FALSE(sender->failure());
}

TEST_CASE("an ACK only of what was taken for lost ends the backoff of probes") {
  LoneSender sender;
  const auto numbers = sender.send(4);
  sender.pass(kMs);
  sender.acknowledge({{numbers[3], numbers[3]}});
  REQUIRE(sender->stats().lost_packets == 1);
  const Time wait = sender->deadline() - sender.now;
  CAPTURE(wait);
  sender.send(100);
  for (std::uint64_t count = sender->stats().probe_timeouts + 4; sender->stats().probe_timeouts < count;) {
    sender.now = std::max(sender.now, sender->deadline());
    sender->on_timer(sender.now);
    sender.send(100);
  }
  const Time sent = sender.now;
  sender.acknowledge({{numbers[0], numbers[0]}});
  REQUIRE(sender->stats().spurious_losses == 1);
  const auto& rtt = sender->rtt();
  CHECK(sender->deadline() <= sent + rtt.pto(Connection::kAckDelay));
}

}  // namespace
}  // namespace waggle::packet::testing
