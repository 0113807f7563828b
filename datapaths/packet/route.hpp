// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "base/result.hpp"

/// What the kernel knows about the way to an address, for ports that go around its network stack: asked over rtnetlink
/// (libnl-route-3) in the calling thread's network namespace. IPv4 addresses are in host byte order.
namespace waggle::packet {

using MacAddress = std::array<std::uint8_t, 6>;

/// A network device and its first address.
struct Interface {
  int index = 0;
  std::string name;
  std::uint32_t mtu = 0;  ///< bytes of the IP packet
  MacAddress mac{};       ///< zero on the loopback device
  bool loopback = false;
  std::uint32_t rx_queues = 1;  ///< in use
  std::uint32_t tx_queues = 1;
};

/// How packets reach an address.
struct Route {
  Interface interface;
  std::uint32_t source = 0;    ///< address to send from
  std::uint32_t next_hop = 0;  ///< the gateway, or the address itself
};

/// IPv4 address of a name or of a dotted quad; Fault::not_found when it has none, Fault::cancelled when called off.
Result<std::uint32_t> ipv4_of(const std::string& host, const std::stop_token& cancel = {});
/// "10.77.0.1"
std::string ipv4_text(std::uint32_t ip);

/// The device that owns the local address `ip`; with 0, the only one besides the loopback device that has any.
/// Fault::usage when that does not say which.
Result<Route> interface_of(std::uint32_t ip);
/// Fault::missing when there is no route.
Result<Route> route_to(std::uint32_t ip);
/// How long an address is asked for. The kernel asks once a second and gives up after three times (man 7 arp:
/// retrans_time_ms, mcast_solicit): any three of those requests, or the answers to them, may be lost.
inline constexpr std::chrono::milliseconds kNeighbourPatience = std::chrono::seconds(4);

/// The Ethernet address of the neighbour `next_hop` on `interface`. Sends a datagram to make the kernel ask by ARP,
/// again whenever it has given up, and waits for the answer up to `timeout`; Fault::peer_gone when none comes,
/// Fault::cancelled when called off.
Result<MacAddress> neighbour(const Interface& interface, std::uint32_t next_hop, const std::stop_token& cancel,
                             std::chrono::milliseconds timeout = kNeighbourPatience);

}  // namespace waggle::packet
