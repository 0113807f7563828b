// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/frame.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

using namespace waggle;
using namespace waggle::packet;

namespace {

const Station kFrom{{2, 0, 0, 0, 0, 1}, 0x0A4D0001, 4433};
const Peer kTo{0x0A4D0002, 5001, {2, 0, 0, 0, 0, 2}};
const Station kAt{kTo.mac, kTo.ip, kTo.port};

/// A frame around `length` bytes, as it is on the wire.
std::vector<std::byte> frame_of(std::uint32_t length, UdpChecksum checksum) {
  std::vector<std::byte> frame(kFrameHeaders + length);
  for (std::size_t index = 0; index < length; ++index) {
    frame[kFrameHeaders + index] = static_cast<std::byte>(index * 7 + 3);
  }
  write_headers(frame.data() + kFrameHeaders, length, kFrom, kTo, checksum);
  return frame;
}

/// Recomputes the IPv4 header checksum after a change.
void repair(std::vector<std::byte>& frame) {
  frame[24] = frame[25] = std::byte{0};
  const std::uint16_t sum = internet_checksum(ByteView(frame).subspan(14, 20));
  std::memcpy(&frame[24], &sum, sizeof sum);
}

}  // namespace

TEST_CASE("a frame that was written is understood") {
  for (const std::uint32_t length : {0U, 1U, 1200U, 1472U, 9000U}) {
    auto frame = frame_of(length, UdpChecksum::none);
    const auto parsed = parse_frame(frame, kAt);
    REQUIRE(parsed);
    CHECK(parsed->packet == frame.data() + kFrameHeaders);
    CHECK(parsed->length == length);
    CHECK(parsed->from == Peer{kFrom.ip, kFrom.port, {}});
    CHECK(parsed->from.mac == kFrom.mac);
  }
}

TEST_CASE("headers are those of the RFCs, byte for byte") {
  const auto frame = frame_of(3, UdpChecksum::none);
  const std::vector<unsigned> expected = {2,    0, 0,  0,    0, 2, 2,    0,    0,    0,    0,    1,    8,  0,
                                          0x45, 0, 0,  31,   0, 0, 0x40, 0,    64,   17,   0x26, 0x32, 10, 0x4D,
                                          0,    1, 10, 0x4D, 0, 2, 0x11, 0x51, 0x13, 0x89, 0,    11,   0,  0};
  for (std::size_t index = 0; index < expected.size(); ++index) {
    INFO(index);
    CHECK(std::to_integer<unsigned>(frame[index]) == expected[index]);
  }
}

TEST_CASE("the UDP checksum sums to zero with the pseudo-header, and is zero when there is none") {
  for (const std::uint32_t length : {1U, 2U, 1471U, 1472U}) {
    const auto frame = frame_of(length, UdpChecksum::computed);
    std::vector<std::byte> summed(frame.begin() + 26, frame.end());  // addresses, UDP header, payload
    summed.insert(summed.begin(), {std::byte{0}, std::byte{17}, frame[38], frame[39]});
    CHECK(internet_checksum(summed) == 0);
    CHECK((frame[40] != std::byte{0} || frame[41] != std::byte{0}));
    const auto bare = frame_of(length, UdpChecksum::none);
    CHECK((bare[40] == std::byte{0} && bare[41] == std::byte{0}));
  }
}

TEST_CASE("padding after the packet is not payload") {
  auto frame = frame_of(5, UdpChecksum::none);
  frame.resize(60);
  const auto parsed = parse_frame(frame, kAt);
  REQUIRE(parsed);
  CHECK(parsed->length == 5);
}

TEST_CASE("what is not whole or not ours is refused") {
  struct Change {
    const char* what;
    std::size_t at;
    unsigned value;
    bool repaired = true;
  };
  const std::vector<Change> changes = {
      {"ARP", 13, 6, false},        {"IPv6", 14, 0x65},         {"IP options", 14, 0x46},
      {"more fragments", 20, 0x20}, {"fragment offset", 21, 1}, {"TCP", 23, 6},
      {"another host", 33, 3},      {"another port", 37, 0},    {"IP too long", 17, 255},
      {"UDP too long", 39, 200},    {"UDP too short", 39, 7},   {"checksum", 24, 0, false},
      {"UDP shorter", 39, 8 + 50},
  };
  for (const Change& change : changes) {
    INFO(change.what);
    auto frame = frame_of(100, UdpChecksum::none);
    frame[change.at] = static_cast<std::byte>(change.value);
    if (change.repaired) {
      repair(frame);
    }
    CHECK_FALSE(parse_frame(frame, kAt));
  }
  for (std::size_t length = 0; length < kFrameHeaders + 100; ++length) {
    auto frame = frame_of(100, UdpChecksum::none);
    frame.resize(length);
    CHECK_FALSE(parse_frame(frame, kAt));
  }
}
