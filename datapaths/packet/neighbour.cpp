// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/neighbour.h>
#include <netlink/netlink.h>
#include <netlink/route/neighbour.h>
#include <poll.h>

#include <algorithm>
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
using std::chrono::milliseconds;

/// Between two looks, and at least between two times that the kernel is made to ask.
constexpr milliseconds kLook{100};

/// What the kernel knows of a neighbour.
struct Known {
  std::optional<MacAddress> mac;
  bool asks = false;  ///< its requests are under way; what is sent meanwhile causes none
};

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

Result<Known> look_up(nl_sock* socket, const Interface& interface, nl_addr* next_hop) {
  nl_cache* raw = nullptr;
  if (const int code = rtnl_neigh_alloc_cache(socket, &raw); code < 0) {
    return fail_netlink("cannot read the neighbour table", code);
  }
  const Netlinked<nl_cache, nl_cache_free> cache(raw);
  const Netlinked<rtnl_neigh, rtnl_neigh_put> entry(rtnl_neigh_get(raw, interface.index, next_hop));
  constexpr int kUsable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  const int state = entry ? rtnl_neigh_get_state(entry.get()) : NUD_NONE;
  nl_addr* mac = (state & kUsable) != 0 ? rtnl_neigh_get_lladdr(entry.get()) : nullptr;
  Known known{.mac = {}, .asks = (state & NUD_INCOMPLETE) != 0};
  if (mac != nullptr && nl_addr_get_len(mac) == sizeof(MacAddress)) {
    known.mac.emplace();
    std::memcpy(known.mac->data(), nl_addr_get_binary_addr(mac), known.mac->size());
  }
  return known;
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
                             milliseconds timeout) {
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
  for (auto ask = Clock::now();;) {
    WAGGLE_LET(known, look_up(requests.get(), interface, address.get()));
    if (known.mac) {
      return *known.mac;
    }
    const auto now = Clock::now();
    if (!known.asks && now >= ask) {
      WAGGLE_TRY(provoke(interface, next_hop));
      ask = now + kLook;
    }
    const auto left = std::chrono::ceil<milliseconds>(deadline - now);
    std::array<pollfd, 2> ready{pollfd{nl_socket_get_fd(notices.get()), POLLIN, 0}, {stopped.get(), POLLIN, 0}};
    const int count =
        ::poll(ready.data(), ready.size(), static_cast<int>(std::clamp(left, milliseconds(0), kLook).count()));
    if (cancel.stop_requested()) {
      return fail(Fault::cancelled, fmt::format("asking for {} was called off", ipv4_text(next_hop)));
    }
    if (left.count() <= 0) {
      return fail(Fault::peer_gone,
                  fmt::format("{} does not answer ARP on {} within {} ms", ipv4_text(next_hop), interface.name,
                              timeout.count()),
                  "check that the host is up and in the same network");
    }
    if (count > 0) {
      nl_recvmsgs_default(notices.get());
    } else if (count < 0 && errno != EINTR) {
      return fail_errno("cannot wait for neighbour notices");
    }
  }
}

}  // namespace waggle::packet
