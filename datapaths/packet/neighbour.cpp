// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/neighbour.h>
#include <netlink/netlink.h>
#include <netlink/route/neighbour.h>
#include <poll.h>

#include <array>
#include <cstring>
#include <optional>

#include "base/stop.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/netlink_socket.hpp"
#include "datapaths/packet/route.hpp"

namespace waggle::packet {
namespace {

using Clock = std::chrono::steady_clock;

/// Any datagram to the neighbour makes the kernel look for it; port 9 discards what it gets (RFC 863).
Result<> provoke(const Interface& interface, std::uint32_t next_hop) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(next_hop)}, .sin_zero = {}};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.name.c_str(),
               static_cast<socklen_t>(interface.name.size()));
  const char nothing = 0;
  if (::sendto(socket.get(), &nothing, 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) {
    return fail_errno(fmt::format("cannot send to {}", ipv4_text(next_hop)));
  }
  return {};
}

Result<std::optional<MacAddress>> look_up(nl_sock* socket, const Interface& interface, nl_addr* next_hop) {
  nl_cache* raw = nullptr;
  if (const int code = rtnl_neigh_alloc_cache(socket, &raw); code < 0) {
    return fail_netlink("cannot read the neighbour table", code);
  }
  const Netlinked<nl_cache, nl_cache_free> cache(raw);
  const Netlinked<rtnl_neigh, rtnl_neigh_put> entry(rtnl_neigh_get(raw, interface.index, next_hop));
  constexpr int kUsable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  nl_addr* mac =
      entry && (rtnl_neigh_get_state(entry.get()) & kUsable) != 0 ? rtnl_neigh_get_lladdr(entry.get()) : nullptr;
  std::optional<MacAddress> found;
  if (mac != nullptr && nl_addr_get_len(mac) == sizeof(MacAddress)) {
    found.emplace();
    std::memcpy(found->data(), nl_addr_get_binary_addr(mac), found->size());
  }
  return found;
}

}  // namespace

Result<NetlinkSocket> netlink_socket() {
  NetlinkSocket socket(nl_socket_alloc());
  if (!socket) {
    return fail(Fault::no_space, "cannot allocate a netlink socket");
  }
  if (const int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) {
    return fail_netlink("cannot open a netlink socket", code);
  }
  return socket;
}

std::unexpected<Error> fail_netlink(std::string what, int code) {
  if (code == -NLE_PERM) {
    return fail(Fault::missing, fmt::format("{}: only root may", what), "run it with sudo");
  }
  return fail(Fault::io, fmt::format("{}: {}", what, nl_geterror(code)));
}

Result<MacAddress> neighbour(const Interface& interface, std::uint32_t next_hop, const std::stop_token& cancel,
                             std::chrono::milliseconds timeout) {
  if (interface.loopback) {
    return MacAddress{};
  }
  WAGGLE_LET(requests, netlink_socket());
  WAGGLE_LET(notices, netlink_socket());
  if (const int code = nl_socket_add_memberships(notices.get(), RTNLGRP_NEIGH, RTNLGRP_NONE); code < 0) {
    return fail_netlink("cannot listen to neighbour notices", code);
  }
  nl_socket_disable_seq_check(notices.get());
  const std::uint32_t big_endian = htonl(next_hop);
  const Netlinked<nl_addr, nl_addr_put> address(nl_addr_build(AF_INET, &big_endian, sizeof big_endian));
  const StopFd stopped(cancel);
  const auto deadline = Clock::now() + timeout;
  for (bool asked = false;;) {
    WAGGLE_LET(found, look_up(requests.get(), interface, address.get()));
    if (found) {
      return *found;
    }
    if (!asked) {
      WAGGLE_TRY(provoke(interface, next_hop));
      asked = true;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    std::array<pollfd, 2> ready{pollfd{nl_socket_get_fd(notices.get()), POLLIN, 0}, {stopped.get(), POLLIN, 0}};
    const int count = left.count() > 0 ? ::poll(ready.data(), ready.size(), static_cast<int>(left.count())) : 0;
    if (cancel.stop_requested()) {
      return fail(Fault::cancelled, fmt::format("asking for {} was called off", ipv4_text(next_hop)));
    }
    if (count == 0) {
      return fail(Fault::peer_gone,
                  fmt::format("{} does not answer ARP on {} within {} ms", ipv4_text(next_hop), interface.name,
                              timeout.count()),
                  "check that the host is up and in the same network");
    }
    if (count > 0) {
      nl_recvmsgs_default(notices.get());
    } else if (errno != EINTR) {
      return fail_errno("cannot wait for neighbour notices");
    }
  }
}

}  // namespace waggle::packet
