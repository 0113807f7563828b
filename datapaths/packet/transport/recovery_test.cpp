// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <vector>

#include "datapaths/packet/transport/testing/lone_sender.hpp"

/// RFC 9002's pseudo-code (appendices A and B) rule by rule, on a connection whose peer is the test.
namespace waggle::packet::testing {
namespace {

constexpr std::uint64_t kPacket = MtuSearch::kBase;

/// Sends for `count` round trips with nothing lost, so that the RTT is known.
void warm_up(LoneSender& sender, int count = 3) {
  for (int i = 0; i < count; ++i) {
    sender.exchange(4);
  }
}

TEST_CASE("RFC 9002, 5.1: a sample needs that the largest acknowledged number is newly acknowledged") {
  LoneSender sender;
  const auto numbers = sender.send(3);
  sender.pass(20 * kMs);
  sender.acknowledge({{numbers[1], numbers[1]}});
  CHECK(sender->rtt().latest() == 20 * kMs);
  sender.pass(30 * kMs);
  sender.acknowledge({{numbers[0], numbers[1]}});  // the older one, late
  CHECK(sender->rtt().latest() == 20 * kMs);
  sender.acknowledge({{numbers[0], numbers[2]}});
  CHECK(sender->rtt().latest() == 50 * kMs);
}

TEST_CASE("RFC 9002, 5.2: min_rtt is the least sample, and the newest one after persistent congestion") {
  LoneSender sender;
  warm_up(sender);
  sender.exchange(4, 50 * kMs);
  CHECK(sender->rtt().least() == 20 * kMs);
  const auto lost = sender.send(1);
  sender.pass(2 * kSecond);
  sender.send(1);
  const auto last = sender.send(3);
  sender.pass(70 * kMs);
  sender.acknowledge({{last.back(), last.back()}});
  REQUIRE(sender->stats().persistent_congestion == 1);
  CHECK(sender->rtt().least() == 70 * kMs);
}

TEST_CASE("RFC 9002, 5.3: smoothed_rtt and rttvar are moving averages, without an ACK delay up to the maximum") {
  RttEstimator rtt;
  rtt.sample(20 * kMs, kMs);
  CHECK(rtt.smoothed() == 20 * kMs);  // the first sample as it is
  CHECK(rtt.variation() == 10 * kMs);
  rtt.sample(29 * kMs, kMs);
  CHECK(rtt.variation() == (3 * 10 * kMs + 8 * kMs) / 4);
  CHECK(rtt.smoothed() == (7 * 20 * kMs + 28 * kMs) / 8);
  const Time before = rtt.smoothed();
  rtt.sample(20 * kMs + kMs / 2, kMs);  // must not fall below min_rtt
  CHECK(rtt.smoothed() == (7 * before + 20 * kMs + kMs / 2) / 8);

  LoneSender sender;
  sender.exchange(2);
  const Time smoothed = sender->rtt().smoothed();
  const auto numbers = sender.send(1);
  sender.pass(30 * kMs);
  sender.acknowledge({{numbers[0], numbers[0]}}, 9000);  // µs: more than the maximum
  CHECK(sender->rtt().smoothed() == (7 * smoothed + 29 * kMs) / 8);
}

TEST_CASE("RFC 9002, 6.1.1: a packet is lost when one is acknowledged that was sent three later") {
  LoneSender sender;
  const auto numbers = sender.send(4);
  sender.pass(kMs);
  sender.acknowledge({{numbers[2], numbers[2]}});
  CHECK(sender->stats().lost_packets == 0);
  sender.acknowledge({{numbers[2], numbers[3]}});
  CHECK(sender->stats().lost_packets == 1);
}

TEST_CASE("RFC 9002, 6.1.2: a packet is lost 9/8 of the RTT after it was sent, when a later one is acknowledged") {
  LoneSender sender;
  warm_up(sender);
  const auto numbers = sender.send(2);
  const Time sent = sender.now;
  sender.pass(20 * kMs);
  sender.acknowledge({{numbers[1], numbers[1]}});
  const Time due = sent + 20 * kMs * 9 / 8;
  CHECK(sender->deadline() == due);
  sender.now = due - 1;
  sender->on_timer(sender.now);
  CHECK(sender->stats().lost_packets == 0);
  sender.now = due;
  sender->on_timer(sender.now);
  CHECK(sender->stats().lost_packets == 1);
}

TEST_CASE("RFC 9002, 6.1.2: the time threshold is never below the granularity of timers") {
  RttEstimator rtt;
  rtt.sample(20'000, 0);
  CHECK(rtt.loss_delay() == RttEstimator::kGranularity);
}

TEST_CASE("RFC 9002, 6.2.1: the probe timeout is smoothed_rtt + 4 rttvar + max_ack_delay, doubles and starts over") {
  LoneSender sender;
  warm_up(sender);
  const auto& rtt = sender->rtt();
  const Time pto = rtt.smoothed() + 4 * rtt.variation() + Connection::kAckDelay;
  sender.send(1);
  Time sent = sender.now;
  for (Time backoff = 1; backoff <= 8; backoff *= 2) {
    REQUIRE(sender->deadline() == sent + backoff * pto);
    sender.now = sender->deadline();
    sender->on_timer(sender.now);
    sender.send(2);
    sent = sender.now;
  }
  CHECK(sender->stats().probe_timeouts == 4);
  const auto last = sender.send(1);
  sender.pass(20 * kMs);
  sender.acknowledge({{1, sender->next_number() - 1}});
  sender.send(1);
  CHECK(sender->deadline() <= sender.now + rtt.smoothed() + 4 * rtt.variation() + Connection::kAckDelay);
}

TEST_CASE("RFC 9002, 6.2.1: the probe timeout is never set while the time threshold has a timer") {
  LoneSender sender;
  warm_up(sender, 40);  // the variation is small, so that both timers are due close together
  const auto numbers = sender.send(2);
  sender.pass(20 * kMs);
  sender.acknowledge({{numbers[1], numbers[1]}});
  REQUIRE(sender->deadline() < kNever);
  sender.pass(kSecond);  // both would be overdue
  sender->on_timer(sender.now);
  CHECK(sender->stats().lost_packets == 1);
  CHECK(sender->stats().probe_timeouts == 0);
}

TEST_CASE("RFC 9002, 6.2.4: a probe goes out though the window is full, and brings what is oldest") {
  LoneSender sender;
  const auto numbers = sender.send(100);
  REQUIRE(numbers.size() == 10);
  sender.now = sender->deadline();
  sender->on_timer(sender.now);
  REQUIRE(sender.send(5).size() == 1);
  CHECK(sender.last_offset == 0);
  sender.now = sender->deadline();
  sender->on_timer(sender.now);
  CHECK(sender.send(5).size() == 2);
}

TEST_CASE("RFC 9002, 7.2 and RFC 6928: the initial window is ten packets, the least two") {
  LoneSender sender;
  CHECK(sender->window() == 10 * kPacket);
  CHECK(Cubic::kLeastPackets == 2);
}

TEST_CASE("RFC 9002, 7.3.1: in slow start the window grows by what is acknowledged, when it was full") {
  LoneSender sender;
  const auto numbers = sender.send(100);
  sender.pass(20 * kMs);
  sender.acknowledge({{numbers.front(), numbers[4]}});
  CHECK(sender->window() == 15 * kPacket);
}

TEST_CASE("RFC 9002, 7.3.2: one cut per round trip; what was sent before it neither cuts again nor grows the window") {
  LoneSender sender;
  const auto numbers = sender.send(100);
  sender.pass(20 * kMs);
  sender.acknowledge({{numbers[3], numbers[3]}});  // the first is lost
  const std::uint64_t cut = sender->window();
  CHECK(cut < 11 * kPacket);
  sender.acknowledge({{numbers[8], numbers[8]}, {numbers[3], numbers[3]}});
  CHECK(sender->stats().lost_packets >= 4);
  CHECK(sender->window() == cut);
}

TEST_CASE("RFC 9002, 7.5: a probe timeout alone does not shrink the window") {
  LoneSender sender;
  sender.send(100);
  const std::uint64_t before = sender->window();
  for (int i = 0; i < 4; ++i) {
    sender.now = sender->deadline();
    sender->on_timer(sender.now);
    sender.send(2);
  }
  CHECK(sender->stats().probe_timeouts == 4);
  CHECK(sender->window() == before);
}

TEST_CASE(
    "RFC 9002, 7.6.2: losses over more than three probe timeouts with nothing acknowledged between them leave two "
    "packets of window") {
  LoneSender sender;
  warm_up(sender);
  const Time pto = sender->rtt().pto(Connection::kAckDelay);
  const bool longer = GENERATE(true, false);
  sender.send(1);
  sender.pass(longer ? 3 * pto + 1 : 2 * pto);
  sender.send(1);
  const auto last = sender.send(3);
  sender.pass(20 * kMs);
  sender.acknowledge({{last.back(), last.back()}});
  CHECK(sender->stats().persistent_congestion == (longer ? 1U : 0U));
  CHECK((sender->window() == 2 * kPacket) == longer);
}

TEST_CASE("RFC 9002, 7.6.2: no persistent congestion when a packet between the lost ones was acknowledged") {
  LoneSender sender;
  warm_up(sender);
  const Time pto = sender->rtt().pto(Connection::kAckDelay);
  sender.send(1);
  sender.pass(2 * pto);
  const auto between = sender.send(1);
  sender.pass(2 * pto);
  sender.send(1);
  const auto last = sender.send(3);
  sender.pass(20 * kMs);
  sender.acknowledge({{last.back(), last.back()}, {between[0], between[0]}});
  REQUIRE(sender->stats().lost_packets >= 2);
  CHECK(sender->stats().persistent_congestion == 0);
  CHECK(sender->window() > 2 * kPacket);
}

TEST_CASE("RFC 9002, 7.6.2: no persistent congestion from packets that were sent before the first RTT sample") {
  LoneSender sender;
  sender.send(1);
  sender.pass(5 * kSecond);
  sender.send(1);
  const auto last = sender.send(3);
  sender.pass(20 * kMs);
  sender.acknowledge({{last.back(), last.back()}});
  REQUIRE(sender->stats().lost_packets >= 2);
  CHECK(sender->stats().persistent_congestion == 0);
}

TEST_CASE("RFC 9002, 7.6.2 and RFC 8899, 3: lost MTU probes do not make persistent congestion") {
  LoneSender sender(1472);
  REQUIRE(sender.send_probe() != 0);
  sender.pass(5 * kSecond);
  const auto rest = sender.send(4);
  sender.pass(20 * kMs);
  sender.acknowledge({{rest.back(), rest.back()}});
  CHECK(sender->stats().persistent_congestion == 0);
}

TEST_CASE("RFC 9002, B.8: after persistent congestion the recovery period is over") {
  Cubic cubic(kPacket);
  cubic.on_loss(kSecond, kSecond - 1);
  cubic.on_persistent_congestion();
  cubic.on_ack({.now = kSecond + 1, .bytes = kPacket, .sent_at = kSecond - 1, .smoothed = kMs, .least = kMs});
  CHECK(cubic.window() == 3 * kPacket);
}

TEST_CASE("RFC 9002, 7.8: a window that is not used does not grow") {
  LoneSender sender;
  warm_up(sender, 20);
  CHECK(sender->window() == 10 * kPacket);
}

TEST_CASE("a cut whose losses were none is undone, every time, also after losses that were real") {
  LoneSender sender;
  warm_up(sender);
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    // Real: what was lost never comes.
    const auto lost = sender.send(8);
    sender.pass(20 * kMs);
    sender.acknowledge({{lost[1], lost.back()}});
    sender.pass(40 * kMs);
    sender->on_timer(sender.now);
    REQUIRE(sender->stats().lost_packets > 0);
    sender.exchange(8);
    const std::uint64_t before = sender->window();
    // Not real: what counted as lost comes late.
    const auto late = sender.send(20);
    REQUIRE(late.size() > 1);
    sender.pass(20 * kMs);
    const std::uint64_t spurious = sender->stats().spurious_losses;
    sender.acknowledge({{late[1], late.back()}});
    sender.pass(40 * kMs);
    sender->on_timer(sender.now);
    REQUIRE(sender->window() < before);
    sender.acknowledge({{late[0], late.back()}});
    REQUIRE(sender->stats().spurious_losses == spurious + 1);
    CHECK(sender->window() >= before);
  }
}

TEST_CASE("a cut stays when one of its losses was real") {
  LoneSender sender;
  warm_up(sender);
  const auto numbers = sender.send(10);
  const std::uint64_t before = sender->window();
  sender.pass(20 * kMs);
  sender.acknowledge({{numbers[2], numbers.back()}});
  REQUIRE(sender->stats().lost_packets == 2);
  sender.acknowledge({{numbers[1], numbers.back()}});
  CHECK(sender->stats().spurious_losses == 1);
  CHECK(sender->window() < before);
}

TEST_CASE("RFC 8899, 3: an MTU probe that counted as lost and comes late undoes no cut") {
  LoneSender sender(1472);
  warm_up(sender);
  const std::uint64_t probe = sender.send_probe();
  const auto numbers = sender.send(8);
  const std::uint64_t before = sender->window();
  REQUIRE(probe != 0);
  sender.pass(20 * kMs);
  sender.acknowledge({{numbers[1], numbers.back()}});  // the probe and the first packet are lost
  const std::uint64_t cut = sender->window();
  REQUIRE(cut < before);
  sender.acknowledge({{numbers[1], numbers.back()}, {probe, probe}});
  CHECK(sender->window() == cut);
  CHECK(sender->stats().spurious_losses == 0);
  CHECK(sender->packet_size() > kPacket);
}

TEST_CASE(
    "RFC 9000, 14.4: an MTU probe consumes window, but never more than a packet of the size that is known to fit") {
  LoneSender sender(61'440);
  REQUIRE(sender.send_probe() != 0);
  REQUIRE(sender.last_length == 61'440);
  CHECK(sender->in_flight() == kPacket);
  CHECK(sender.send(100).size() == 9);
  CHECK(sender->in_flight() == 10 * kPacket);
}

TEST_CASE("RFC 8899, 3: neither window nor pacer holds payload back for an MTU probe whose fate is open") {
  LoneSender sender(61'440);
  warm_up(sender);
  LoneSender other;
  warm_up(other);
  sender.exchange(9);  // all but the probe
  other.exchange(9);
  const auto numbers = sender.send(1000);
  CHECK(numbers.size() + 1 >= other.send(1000).size());
  sender.pass(20 * kMs);
  const std::uint64_t before = sender->window();
  sender.acknowledge({{numbers[0], numbers.back()}});
  REQUIRE(sender->stats().lost_packets == 0);
  CHECK(sender->window() >= before);
  CHECK(sender->stats().mtu_probes >= 1);
}

TEST_CASE("RFC 8899, 4.3: silence after small packets only is no black hole") {
  for (const std::uint64_t bytes : {100U, 100'000U}) {
    INFO(bytes);
    LoneSender sender(1472, 0);
    const std::uint64_t probe = sender.send_probe();
    REQUIRE(probe != 0);
    sender.pass(20 * kMs);
    sender.acknowledge({{probe, probe}});
    REQUIRE(sender->packet_size() == 1472);
    sender.pass(20 * kMs);  // so that the pacer has some credit
    sender->offer({1, 0, bytes}, SharedFd(), nullptr);
    REQUIRE_FALSE(sender.send(4).empty());
    while (sender->stats().probe_timeouts < 4) {
      sender.now = sender->deadline();
      sender->on_timer(sender.now);
      sender.send(4);
    }
    CHECK(sender->packet_size() == (bytes == 100 ? 1472 : MtuSearch::kBase));
  }
}

TEST_CASE("a connection does not stay for the fate of an MTU probe") {
  LoneSender sender(61'440, 0);
  REQUIRE(sender.send_probe() != 0);
  sender->close(sender.now);
  const auto last = sender.next();
  REQUIRE(last);
  CHECK(last->type == Type::close);
}

TEST_CASE("an MTU probe that the peer's limit keeps back has nobody called") {
  LoneSender sender(61'440, 0, 1);
  sender.send_probe();
  CHECK(sender->stats().mtu_probes == 0);
  CHECK(sender->deadline() > sender.now);
}

}  // namespace
}  // namespace waggle::packet::testing
