// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>

#include "base/byte_order.hpp"
#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/sense.hpp"

namespace waggle::stream {

/// What stands before every message on a stream. On the wire 32 bytes, network byte order:
///   0 magic "WG" · 2 version · 3 flags (bit 0: a payload follows the message) · 4 message length (4) ·
///   8 handle (4) · 12 reserved, zero (4) · 16 offset (8) · 24 payload length (8)
struct FrameHeader {
  std::uint32_t message = 0;  ///< bytes
  bool announces = false;     ///< an extent follows, maybe an empty one
  ExtentId extent;
};

inline constexpr std::size_t kFrameHeader = 32;
inline constexpr std::uint16_t kFrameMagic = 0x5747;
inline constexpr std::uint8_t kFrameVersion = 1;

inline std::array<std::byte, kFrameHeader> encode(const FrameHeader& header) {
  std::array<std::byte, kFrameHeader> bytes{};
  store_be(&bytes[0], kFrameMagic);
  store_be(&bytes[2], kFrameVersion);
  store_be(&bytes[3], static_cast<std::uint8_t>(header.announces ? 1 : 0));
  store_be(&bytes[4], header.message);
  store_be(&bytes[8], header.extent.handle);
  store_be(&bytes[16], header.extent.offset);
  store_be(&bytes[24], header.extent.length);
  return bytes;
}

/// Fault::protocol for anything that this version does not send, so that a stranger's bytes end the connection early.
inline Result<FrameHeader> decode(std::span<const std::byte, kFrameHeader> bytes) {
  if (load_be<std::uint16_t>(&bytes[0]) != kFrameMagic) {
    return fail(Fault::protocol, "the peer does not speak this protocol", "check host and port");
  }
  const auto version = load_be<std::uint8_t>(&bytes[2]);
  if (version != kFrameVersion) {
    return fail(Fault::protocol, "the peer speaks version " + std::to_string(version) + " of the stream framing",
                "use the same release on both sides");
  }
  const auto flags = load_be<std::uint8_t>(&bytes[3]);
  FrameHeader header;
  header.announces = (flags & 1) != 0;
  header.message = load_be<std::uint32_t>(&bytes[4]);
  header.extent = {load_be<std::uint32_t>(&bytes[8]), load_be<std::uint64_t>(&bytes[16]),
                   load_be<std::uint64_t>(&bytes[24])};
  const bool sound =
      header.message <= kMaxMessage && fits(header.extent) && (header.announces || header.extent == ExtentId{});
  if ((flags & ~1U) != 0 || load_be<std::uint32_t>(&bytes[12]) != 0 || !sound) {
    return fail(Fault::protocol, "the peer sent a malformed frame");
  }
  return header;
}

}  // namespace waggle::stream
