// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/netlink.hpp"

#include <fmt/format.h>
#include <linux/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace waggle::topology {
namespace {

struct PutLink {
  void operator()(rtnl_link* link) const { rtnl_link_put(link); }
};
struct PutAddress {
  void operator()(rtnl_addr* address) const { rtnl_addr_put(address); }
};
struct PutRaw {
  void operator()(nl_addr* address) const { nl_addr_put(address); }
};
using RouteLink = std::unique_ptr<rtnl_link, PutLink>;

std::unexpected<Error> fail_netlink(std::string what, int code, std::string hint = {}) {
  if (code == -NLE_PERM) {
    return fail(Fault::missing, fmt::format("{}: only root may", what), "run it with sudo");
  }
  if (code == -NLE_OPNOTSUPP) {
    return fail(Fault::missing, fmt::format("{}: this kernel does not support it", what),
                "use a kernel with CONFIG_VETH");
  }
  return fail(Fault::io, fmt::format("{}: {}", what, nl_geterror(code)), std::move(hint));
}

Result<RouteLink> find(nl_sock* socket, const std::string& name) {
  rtnl_link* link = nullptr;
  if (const int code = rtnl_link_get_kernel(socket, 0, name.c_str(), &link); code < 0) {
    return fail_netlink(fmt::format("cannot find network device {}", name), code);
  }
  return RouteLink(link);
}

Result<> change(nl_sock* socket, const std::string& name, rtnl_link* changes, const std::string& what) {
  WAGGLE_LET(link, find(socket, name));
  if (const int code = rtnl_link_change(socket, link.get(), changes, 0); code < 0) {
    return fail_netlink(fmt::format("cannot {} of {}", what, name), code);
  }
  return {};
}

bool running(rtnl_link* link) {
  const std::uint8_t state = rtnl_link_get_operstate(link);
  constexpr std::uint8_t kUnknown = 0;  // IF_OPER_UNKNOWN: all that the loopback device ever says
  constexpr std::uint8_t kUp = 6;       // IF_OPER_UP
  const bool loopback = (rtnl_link_get_flags(link) & IFF_LOOPBACK) != 0;
  return state == kUp || (loopback && state == kUnknown && (rtnl_link_get_flags(link) & IFF_UP) != 0);
}

}  // namespace

void Netlink::Closer::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Result<Netlink::Socket> Netlink::connect() {
  Socket socket(nl_socket_alloc());
  if (!socket) {
    return fail(Fault::no_space, "cannot allocate a netlink socket");
  }
  if (const int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) {
    return fail_netlink("cannot open a netlink socket", code);
  }
  return socket;
}

Result<Netlink> Netlink::open(const NetworkNamespace& where) {
  Socket requests;
  Socket notices;
  WAGGLE_TRY(where.inside([&]() -> Result<> {
    WAGGLE_LET(first, connect());
    WAGGLE_LET(second, connect());
    requests = std::move(first);
    notices = std::move(second);
    return {};
  }));
  if (const int code = nl_socket_add_memberships(notices.get(), RTNLGRP_LINK, RTNLGRP_NONE); code < 0) {
    return fail_netlink("cannot listen to link notices", code);
  }
  return Netlink(std::move(requests), std::move(notices));
}

Result<> Netlink::add_veth(const std::string& name, const NetworkNamespace& other, std::uint32_t mtu,
                           std::uint32_t queues, const std::string& peer_name) {
  const RouteLink link(rtnl_link_veth_alloc());
  if (!link) {
    return fail(Fault::no_space, "cannot allocate a veth request");
  }
  const RouteLink peer_reference(rtnl_link_veth_get_peer(link.get()));
  rtnl_link* peer = peer_reference.get();
  rtnl_link_set_name(link.get(), name.c_str());
  rtnl_link_set_mtu(link.get(), mtu);
  rtnl_link_set_name(peer, (peer_name.empty() ? name : peer_name).c_str());
  rtnl_link_set_mtu(peer, mtu);
  for (rtnl_link* end : {link.get(), peer}) {
    rtnl_link_set_num_rx_queues(end, queues);
    rtnl_link_set_num_tx_queues(end, queues);
  }
  rtnl_link_set_ns_fd(peer, other.fd());
  const int code = rtnl_link_add(requests_.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code < 0) {
    return fail_netlink(fmt::format("cannot make a veth pair with MTU {}", mtu), code,
                        "choose an MTU from 68 to 65535 bytes");
  }
  return {};
}

Result<> Netlink::set_mtu(const std::string& name, std::uint32_t mtu) {
  const RouteLink changes(rtnl_link_alloc());
  rtnl_link_set_mtu(changes.get(), mtu);
  return change(requests_.get(), name, changes.get(), fmt::format("set MTU {}", mtu));
}

Result<std::uint32_t> Netlink::mtu(const std::string& name) {
  WAGGLE_LET(link, find(requests_.get(), name));
  return rtnl_link_get_mtu(link.get());
}

Result<std::uint32_t> Netlink::queues(const std::string& name) {
  WAGGLE_LET(link, find(requests_.get(), name));
  return std::min(rtnl_link_get_num_rx_queues(link.get()), rtnl_link_get_num_tx_queues(link.get()));
}

Result<> Netlink::add_address(const std::string& name, const std::string& address) {
  nl_addr* parsed = nullptr;
  if (const int code = nl_addr_parse(address.c_str(), AF_INET, &parsed); code < 0) {
    return fail_netlink(fmt::format("cannot parse address {}", address), code);
  }
  const std::unique_ptr<nl_addr, PutRaw> local(parsed);
  WAGGLE_LET(link, find(requests_.get(), name));
  const std::unique_ptr<rtnl_addr, PutAddress> entry(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(entry.get(), rtnl_link_get_ifindex(link.get()));
  rtnl_addr_set_local(entry.get(), local.get());
  if (const int code = rtnl_addr_add(requests_.get(), entry.get(), 0); code < 0) {
    return fail_netlink(fmt::format("cannot give {} to {}", address, name), code);
  }
  return {};
}

Result<> Netlink::set_up(const std::string& name) {
  const RouteLink changes(rtnl_link_alloc());
  rtnl_link_set_flags(changes.get(), IFF_UP);
  return change(requests_.get(), name, changes.get(), "change the state");
}

Result<> Netlink::wait_until_running(const std::string& name, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  nl_socket_disable_seq_check(notices_.get());
  while (true) {
    WAGGLE_LET(link, find(requests_.get(), name));
    if (running(link.get())) {
      return {};
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{.fd = nl_socket_get_fd(notices_.get()), .events = POLLIN, .revents = 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&wait, 1, static_cast<int>(left.count()));
    if (ready == 0) {
      return fail(Fault::timeout, fmt::format("network device {} has no carrier after {} ms", name, timeout.count()));
    }
    if (ready < 0 && errno != EINTR) {
      return fail_errno("cannot wait for link notices");
    }
    if (ready > 0) {
      nl_recvmsgs_default(notices_.get());
    }
  }
}

}  // namespace waggle::topology
