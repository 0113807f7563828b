// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace waggle::packet {

/// The far end of a path. Equality is that of the UDP address; the Ethernet address is how to get there.
struct Peer {
  std::uint32_t ip = 0;    ///< IPv4, host byte order
  std::uint16_t port = 0;  ///< UDP, host byte order
  std::array<std::uint8_t, 6> mac{};
  bool operator==(const Peer& other) const { return ip == other.ip && port == other.port; }
};

/// "10.77.0.1:7411"
std::string dotted(const Peer& peer);

}  // namespace waggle::packet
