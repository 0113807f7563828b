// SPDX-License-Identifier: BSD-2-Clause
//
// What ports of all kinds have in common, over a real veth.
#include <array>
#include <catch2/catch.hpp>

#include "base/clock.hpp"
#include "datapaths/packet/testing/wait.hpp"
#include "tests/e2e/ports/veth_pair.hpp"

using namespace waggle;
using namespace waggle::packet;
using namespace waggle::packet::testing;

TEST_CASE("ports of all kinds understand each other") {
  for (const std::string server : {"udp", "afxdp"}) {
    for (const std::string client : {"udp", "afxdp"}) {
      INFO("server " << server << ", client " << client);
      const auto link = make_link();
      Pair pair = make_pair(link, server, client);
      CHECK(pair.server->local_port() == 4433);
      CHECK(pair.server->capabilities().packet == 1472);
      exchange(pair, 100);
      const auto counters = pair.server->counters();
      CHECK(counters.at("frames_sent") == counters.at("frames_received"));
      CHECK(counters.at("rx_dropped") == 0);
    }
  }
}

TEST_CASE("udp merges packets into few system calls both ways, and does without") {
  const auto link = make_link();
  Pair merged = make_pair(link, "udp", "udp");
  exchange(merged, 50);
  CHECK(granted(*merged.server, "gso") == "yes");
  CHECK(granted(*merged.server, "gro") == "yes");
  const auto counters = merged.server->counters();
  CHECK(counters.at("tx_messages") * 2 < counters.at("frames_sent"));
  CHECK(counters.at("rx_messages") * 2 < counters.at("frames_received"));
  merged = {};
  Pair plain = make_pair(link, "udp", "udp", {"gso=no", "gro=no", "udp_checksum=no"}, {"gso=no"});
  exchange(plain, 50);
  CHECK(plain.server->counters().at("tx_messages") == plain.server->counters().at("frames_sent"));
  CHECK(plain.server->counters().at("rx_messages") == plain.server->counters().at("frames_received"));
}

TEST_CASE("a wait ends by a packet, by wake() and by its deadline") {
  const auto link = make_link();
  for (const std::string kind : {"udp", "afxdp"}) {
    Pair pair = make_pair(link, kind, kind);
    Time before = now_ns();
    REQUIRE(testing::wait(*pair.server, before + 20'000'000));
    CHECK(now_ns() - before >= 20'000'000);
    const Sleeper sleeper;
    sleeper.wake();
    REQUIRE(testing::wait(*pair.server, kNever, sleeper));
    const std::array<std::uint32_t, 1> lengths{100};
    send_burst(*pair.client, pair.to_server, 0, lengths);
    REQUIRE(testing::wait(*pair.server, kNever));
    receive_burst(*pair.server, 0, lengths);
  }
}
