// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "datapaths/packet/port.hpp"

/// Ethernet II, IPv4 and UDP headers around packets, for ports that handle whole frames. No options, no VLAN tags, no
/// fragments.
namespace waggle::packet {

/// The near end of a path.
struct Station {
  std::array<std::uint8_t, 6> mac{};
  std::uint32_t ip = 0;    ///< IPv4, host byte order
  std::uint16_t port = 0;  ///< UDP, host byte order
};

/// What stands in the UDP checksum field: zero, which means none (RFC 768), or the sum over pseudo-header, header and
/// payload, which costs a pass over the payload.
enum class UdpChecksum { none, computed };

/// Writes kFrameHeaders bytes in front of `packet`, whose payload of `length` bytes (at most 65507) is complete. The
/// IPv4 header checksum is valid, DF is set and so the identification is 0 (RFC 6864, section 4.1).
void write_headers(std::byte* packet, std::uint32_t length, const Station& from, const Peer& to, UdpChecksum checksum);

/// A packet inside a frame that was received.
struct Parsed {
  std::byte* packet = nullptr;
  std::uint32_t length = 0;  ///< bytes of the UDP payload
  Peer from;
};

/// Finds the packet in `frame`. Nothing when it is not IPv4 and UDP for `at` (its MAC is not looked at), is a fragment,
/// has IP options or a wrong header checksum, or its lengths disagree; padding after the IP packet is allowed. The UDP
/// checksum is not looked at: kernels hand frames over before it is filled in, and packets carry a CRC32C.
std::optional<Parsed> parse_frame(ByteSpan frame, const Station& at);

/// The Internet checksum (RFC 1071) of `bytes` as it stands in memory, continuing the sum `before`.
std::uint16_t internet_checksum(ByteView bytes, std::uint64_t before = 0);

}  // namespace waggle::packet
