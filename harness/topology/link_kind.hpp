// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The kinds of links, each with what can be said of it.
namespace waggle::topology {

struct LinkKind {
  std::string_view name;
  bool device = false;     ///< the kernel has an interface at both ends: its MTU and its offloads
  bool queues = false;     ///< whose queues and NAPI we choose
  bool addresses = false;  ///< it is found by the PCI addresses of two NICs
  bool socket = false;     ///< it is found by the path of a socket
};

/// MTU of an interface for which none was asked, bytes: what Ethernet has.
inline constexpr std::uint32_t kDefaultMtu = 1500;

std::span<const LinkKind> link_kinds();
/// The kind of that name; one of which nothing can be said when there is none.
LinkKind link_kind(std::string_view name);
std::vector<std::string> link_names();
/// The name of the kind that is found by PCI addresses, and of the one that is found by a socket.
std::string_view addressed_link();
std::string_view socket_link();

}  // namespace waggle::topology
