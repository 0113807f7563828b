// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/route.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/resolve.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/netlink_socket.hpp"

namespace waggle::packet {
namespace {

/// The queues in use, which the link message does not tell. Drivers with one of each need not answer.
ethtool_channels queues_of(const std::string& name) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  request.ifr_data = reinterpret_cast<char*>(&channels);
  return ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0 ? channels : ethtool_channels{};
}

Result<Interface> describe(nl_sock* socket, int index) {
  rtnl_link* raw = nullptr;
  if (const int code = rtnl_link_get_kernel(socket, index, nullptr, &raw); code < 0) {
    return fail_netlink(fmt::format("cannot find network device {}", index), code);
  }
  const Netlinked<rtnl_link, rtnl_link_put> link(raw);
  Interface interface{.index = index, .name = rtnl_link_get_name(raw), .mtu = rtnl_link_get_mtu(raw)};
  interface.loopback = (rtnl_link_get_flags(raw) & IFF_LOOPBACK) != 0;
  const ethtool_channels queues = queues_of(interface.name);
  interface.rx_queues = std::max(1U, queues.combined_count + queues.rx_count);
  interface.tx_queues = std::max(1U, queues.combined_count + queues.tx_count);
  nl_addr* mac = rtnl_link_get_addr(raw);
  if (mac != nullptr && nl_addr_get_len(mac) == interface.mac.size()) {
    std::memcpy(interface.mac.data(), nl_addr_get_binary_addr(mac), interface.mac.size());
  }
  return interface;
}

std::uint32_t host_order(nl_addr* address) {
  std::uint32_t ip = 0;
  if (address != nullptr && nl_addr_get_len(address) == sizeof ip) {
    std::memcpy(&ip, nl_addr_get_binary_addr(address), sizeof ip);
  }
  return ntohl(ip);
}

struct LocalAddress {
  int index;
  std::uint32_t ip;
};

Result<std::vector<LocalAddress>> local_addresses(nl_sock* socket) {
  nl_cache* raw = nullptr;
  if (const int code = rtnl_addr_alloc_cache(socket, &raw); code < 0) {
    return fail_netlink("cannot list the addresses of this host", code);
  }
  const Netlinked<nl_cache, nl_cache_free> cache(raw);
  std::vector<LocalAddress> found;
  for (nl_object* object = nl_cache_get_first(raw); object != nullptr; object = nl_cache_get_next(object)) {
    auto* address = reinterpret_cast<rtnl_addr*>(object);
    if (rtnl_addr_get_family(address) == AF_INET) {
      found.push_back({rtnl_addr_get_ifindex(address), host_order(rtnl_addr_get_local(address))});
    }
  }
  return found;
}

}  // namespace

Result<std::uint32_t> ipv4_of(const std::string& host, const std::stop_token& cancel) {
  if (host.contains(':')) {
    return fail(Fault::usage, fmt::format("'{}' is an IPv6 address, and packet datapaths carry IPv4", host),
                "give an IPv4 address, or choose a datapath over TCP");
  }
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  WAGGLE_LET(list, resolve(host, "", hints, cancel));
  return ntohl(reinterpret_cast<sockaddr_in*>(list->ai_addr)->sin_addr.s_addr);
}

std::string ipv4_text(std::uint32_t ip) {
  return fmt::format("{}.{}.{}.{}", ip >> 24, (ip >> 16) & 255, (ip >> 8) & 255, ip & 255);
}

Result<Route> interface_of(std::uint32_t ip) {
  WAGGLE_LET(socket, netlink_socket());
  WAGGLE_LET(addresses, local_addresses(socket.get()));
  std::vector<Route> candidates;
  for (const LocalAddress& address : addresses) {
    if (ip != 0 && address.ip != ip) {
      continue;
    }
    WAGGLE_LET(interface, describe(socket.get(), address.index));
    const bool known = !candidates.empty() && candidates.back().interface.index == interface.index;
    if ((ip != 0 || !interface.loopback) && !known) {
      candidates.push_back({interface, address.ip, address.ip});
    }
  }
  if (candidates.empty() && ip != 0) {
    return fail(Fault::usage, fmt::format("{} is not an address of this host", ipv4_text(ip)),
                "choose one that `ip address` lists");
  }
  if (candidates.size() != 1) {
    return fail(Fault::usage, "the network device is not clear without an address", "name the local address");
  }
  return candidates.front();
}

Result<Route> route_to(std::uint32_t ip) {
  WAGGLE_LET(socket, netlink_socket());
  const std::uint32_t big_endian = htonl(ip);
  const Netlinked<nl_addr, nl_addr_put> to(nl_addr_build(AF_INET, &big_endian, sizeof big_endian));
  rtnl_route* raw = nullptr;
  const int code = rtnl_route_lookup(socket.get(), to.get(), &raw);
  const Netlinked<rtnl_route, rtnl_route_put> route(raw);
  rtnl_nexthop* hop = code < 0 ? nullptr : rtnl_route_nexthop_n(raw, 0);
  if (hop == nullptr) {
    return fail(Fault::missing, fmt::format("there is no route to {}", ipv4_text(ip)),
                "check the address, or set the network up");
  }
  Route found;
  WAGGLE_LET(interface, describe(socket.get(), rtnl_route_nh_get_ifindex(hop)));
  found.interface = interface;
  found.source = host_order(rtnl_route_get_pref_src(raw));
  const std::uint32_t gateway = host_order(rtnl_route_nh_get_gateway(hop));
  found.next_hop = gateway != 0 ? gateway : ip;
  return found;
}

}  // namespace waggle::packet
