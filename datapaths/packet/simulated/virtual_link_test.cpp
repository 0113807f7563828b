// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/virtual_link.hpp"
#include "datapaths/packet/testing/times.hpp"

#include <catch2/catch.hpp>

namespace waggle::packet {
namespace {

TEST_CASE("a clean link delivers everything at once and as it was") {
  VirtualLink link({}, 1);
  for (Time now = 1; now < 100; ++now) {
    const auto fate = link.carry(now, 1400);
    REQUIRE(fate.count == 1);
    CHECK(fate.copies[0].at == now);
    CHECK(fate.copies[0].length == 1400);
    CHECK_FALSE(fate.copies[0].corrupted);
  }
}

TEST_CASE("the same seed brings the same misfortunes, another one others") {
  const Impairments bad{.loss = 0.2, .duplicate = 0.2, .reorder = 0.2, .corrupt = 0.2, .truncate = 0.2, .jitter = 1000};
  VirtualLink one(bad, 5);
  VirtualLink same(bad, 5);
  VirtualLink other(bad, 6);
  int differences = 0;
  for (Time now = 1; now < 1000; ++now) {
    const auto a = one.carry(now, 1000);
    const auto b = same.carry(now, 1000);
    const auto c = other.carry(now, 1000);
    REQUIRE(a.count == b.count);
    for (std::size_t i = 0; i < a.count; ++i) {
      REQUIRE(a.copies[i].at == b.copies[i].at);
      REQUIRE(a.copies[i].length == b.copies[i].length);
      REQUIRE(a.copies[i].flipped == b.copies[i].flipped);
    }
    differences += a.count != c.count ? 1 : 0;
  }
  CHECK(differences > 100);
}

TEST_CASE("each impairment happens as often as it was asked for") {
  const auto count = [](const Impairments& impairments, auto read) {
    VirtualLink link(impairments, 3);
    for (Time now = 0; now < 20'000; ++now) {
      link.carry(now, 500);
    }
    return static_cast<double>(read(link.stats())) / 20'000;
  };
  CHECK(count({.loss = 0.1}, [](const auto& s) { return std::uint64_t{s.lost}; }) == Approx(0.1).margin(0.01));
  CHECK(count({.duplicate = 0.1}, [](const auto& s) { return std::uint64_t{s.duplicated}; }) ==
        Approx(0.1).margin(0.01));
  CHECK(count({.reorder = 0.1}, [](const auto& s) { return std::uint64_t{s.reordered}; }) == Approx(0.1).margin(0.01));
  CHECK(count({.corrupt = 0.1}, [](const auto& s) { return std::uint64_t{s.corrupted}; }) == Approx(0.1).margin(0.01));
  CHECK(count({.truncate = 0.1}, [](const auto& s) { return std::uint64_t{s.truncated}; }) == Approx(0.1).margin(0.01));
  CHECK(count({.loss = 1}, [](const auto& s) { return std::uint64_t{s.carried}; }) == 0);
}

TEST_CASE("delay, jitter and reordering decide when a packet arrives") {
  VirtualLink link({.reorder = 0.5, .delay = 5000, .jitter = 2000}, 4);
  bool overtaken = false;
  Time latest = 0;
  for (Time now = 0; now < 100'000; now += 500) {
    const auto fate = link.carry(now, 100);
    CHECK(fate.copies[0].at >= now + 5000);
    CHECK(fate.copies[0].at <= now + 5000 + 2000 + 5000 + 100'000);
    overtaken = overtaken || fate.copies[0].at < latest;
    latest = std::max(latest, fate.copies[0].at);
  }
  CHECK(overtaken);
}

TEST_CASE("the rate spaces packets exactly, and a full queue drops") {
  // 1,462 + 38 bytes at 10 Gbit/s are 1,200 ns; at 3 Gbit/s exactly 4,000.
  for (const auto& [rate, spacing] : {std::pair<std::uint64_t, Time>{10'000'000'000, 1200}, {3'000'000'000, 4000}}) {
    VirtualLink link({.rate = rate, .queue = 15'000, .overhead = 38}, 1);
    std::vector<Time> arrivals;
    for (int i = 0; i < 100; ++i) {
      if (const auto fate = link.carry(kSecond, 1462); fate.count > 0) {
        arrivals.push_back(fate.copies[0].at);
      }
    }
    REQUIRE(arrivals.size() == 10);
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      CHECK(arrivals[i] == kSecond + (i + 1) * spacing);
    }
    CHECK(link.stats().queue_drops == 90);
    CHECK(link.carry(2 * kSecond, 1462).copies[0].at == 2 * kSecond + spacing);
  }
}

TEST_CASE("a rate that does not divide evenly is kept over many packets") {
  VirtualLink link({.rate = 7'000'000'000}, 1);
  Time last = 0;
  for (int i = 0; i < 70'000; ++i) {
    last = link.carry(0, 1000).copies[0].at;
  }
  CHECK(last == 80'000'000);
}

TEST_CASE("nothing passes a black hole, or that is larger than the path takes") {
  VirtualLink link({.largest = 1472, .black_holes = {{100, 200}, {500, kNever}}}, 1);
  CHECK(link.carry(99, 1472).count == 1);
  CHECK(link.carry(99, 1473).count == 0);
  CHECK(link.carry(100, 10).count == 0);
  CHECK(link.carry(199, 10).count == 0);
  CHECK(link.carry(200, 10).count == 1);
  CHECK(link.carry(500, 10).count == 0);
  CHECK(link.carry(kSecond, 10).count == 0);
}

TEST_CASE("damage flips one bit") {
  std::array<std::byte, 10> packet{};
  VirtualLink::damage(packet, {.length = 10, .corrupted = true, .flipped = 37});
  CHECK(packet[4] == std::byte{32});
  packet[4] = {};
  VirtualLink::damage(packet, {.length = 10});
  CHECK(packet == std::array<std::byte, 10>{});
}

}  // namespace
}  // namespace waggle::packet
