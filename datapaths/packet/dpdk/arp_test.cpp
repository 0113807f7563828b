// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/arp.hpp"

#include <catch2/catch.hpp>

using namespace waggle::packet;
using namespace waggle::packet::dpdk;

namespace {

const Station kWe{.mac = {2, 0, 0, 0, 0, 1}, .ip = 0x0A4D0001};
const Station kThey{.mac = {2, 0, 0, 0, 0, 2}, .ip = 0x0A4D0002};

}  // namespace

TEST_CASE("a question goes to everybody and is known for one by who is asked") {
  const ArpFrame frame = arp_question(kThey, kWe.ip);
  for (int i = 0; i < 6; ++i) {
    CHECK(frame[static_cast<std::size_t>(i)] == std::byte{0xFF});
  }
  const auto news = read_arp(frame, kWe);
  REQUIRE(news);
  CHECK(news->ip == kThey.ip);
  CHECK(news->mac == kThey.mac);
  CHECK(news->asks_us);
  const Station stranger{.mac = {2, 0, 0, 0, 0, 3}, .ip = 0x0A4D0003};
  CHECK_FALSE(read_arp(frame, stranger)->asks_us);
}

TEST_CASE("an answer tells who asked, byte by byte as RFC 826 has it") {
  const ArpFrame frame = arp_answer(kWe, {.ip = kThey.ip, .mac = kThey.mac, .asks_us = true});
  const std::uint8_t expected[] = {2, 0, 0, 0, 0, 2, 2, 0,  0,  0, 0, 1, 8, 6, 0, 1, 8, 0,  6,  4, 0,
                                   2, 2, 0, 0, 0, 0, 1, 10, 77, 0, 1, 2, 0, 0, 0, 0, 2, 10, 77, 0, 2};
  REQUIRE(sizeof expected == frame.size());
  for (std::size_t i = 0; i < frame.size(); ++i) {
    CHECK(frame[i] == static_cast<std::byte>(expected[i]));
  }
  const auto news = read_arp(frame, kThey);
  REQUIRE(news);
  CHECK(news->ip == kWe.ip);
  CHECK_FALSE(news->asks_us);
}

TEST_CASE("anything else is left alone") {
  ArpFrame frame = arp_question(kThey, kWe.ip);
  CHECK_FALSE(read_arp(waggle::ByteView(frame).first(kArpFrame - 1), kWe));
  frame[21] = std::byte{9};  // an operation that is neither
  CHECK_FALSE(read_arp(frame, kWe));
  frame = arp_question(kThey, kWe.ip);
  frame[12] = std::byte{0x86};  // another protocol
  CHECK_FALSE(read_arp(frame, kWe));
}
