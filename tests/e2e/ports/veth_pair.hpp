// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datapaths/packet/port.hpp"
#include "harness/topology/link.hpp"

/// Real ports at both ends of a veth, for tests with Catch2 that run as root.
namespace waggle::packet::testing {

/// How long a test waits for a packet that must come.
inline constexpr Time kPatience = 5'000'000'000;

/// A veth between two namespaces. Skips or fails the test where there can be none.
topology::Link make_link(std::uint32_t mtu = 1500);

/// One port of `kind`: "udp" or "afxdp", with options as in "frame=4096".
Result<std::unique_ptr<Port>> open(const std::string& kind, const topology::NetworkNamespace& where, Endpoint local,
                                   Endpoint remote, const std::vector<std::string>& settings = {});

struct Pair {
  std::unique_ptr<Port> server;
  std::unique_ptr<Port> client;
  Peer to_server;
  Peer to_client;
};
/// The server's port is 4433.
Pair make_pair(const topology::Link& link, const std::string& server, const std::string& client,
               const std::vector<std::string>& server_settings = {},
               const std::vector<std::string>& client_settings = {});

/// Sends packets [first, first + count) of the given lengths; each begins with its number.
void send_burst(Port& port, const Peer& to, std::uint32_t first, std::span<const std::uint32_t> lengths);
/// Receives what send_burst() sent, in whatever order, and checks every byte. Returns who sent it.
Peer receive_burst(Port& port, std::uint32_t first, std::span<const std::uint32_t> lengths);
/// Bursts of many lengths there and back.
void exchange(Pair& pair, std::uint32_t rounds);

/// What the port has been granted of the mode `name`.
std::string granted(const Port& port, std::string_view name);

}  // namespace waggle::packet::testing
