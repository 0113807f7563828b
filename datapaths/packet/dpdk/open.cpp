// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/open.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <random>

#include "base/clock.hpp"
#include "base/stop.hpp"
#include "datapaths/packet/dpdk/apart.hpp"
#include "datapaths/packet/dpdk/pci.hpp"
#include "datapaths/packet/dpdk/port.hpp"
#include "datapaths/packet/dpdk/vhost.hpp"

namespace waggle::packet::dpdk {
namespace {

/// One of the ports that RFC 6335 leaves to such use; on a link of two nobody else has it.
std::uint16_t some_port() {
  return static_cast<std::uint16_t>(49'152 + std::random_device()() % 16'384);
}

/// The address of the other host in a network of two (RFC 3021 and /30 alike differ in the low bits).
std::uint32_t neighbour_address(std::uint32_t ip) {
  return (ip & 3U) == 1 ? ip + 1 : ip - 1;
}

/// A client's place. A listener that needs its clients one by one may be about to make the next socket.
Result<Place> wait_for_place(const std::string& base, const std::stop_token& cancel) {
  auto place = Place::of_client(base);
  for (int tries = 0; !place && place.error().fault != Fault::usage && tries < 100; ++tries) {
    if (!pause(cancel, std::chrono::milliseconds(10))) {
      return fail(Fault::cancelled, fmt::format("waiting for a server at {} was called off", base));
    }
    place = Place::of_client(base);
  }
  return place;
}

Result<Parts> open_vhost(const PortRequest& request) {
  WAGGLE_LET(options, read_options(request.settings, request.options, request.listens, 0));
  WAGGLE_TRY(start_eal({.pci = {}, .cpus = options.cpus}));
  Parts parts{.options = std::move(options)};
  const std::string& base = request.options.link_at;
  if (!request.local.host.empty()) {
    WAGGLE_LET(ip, ipv4_of(request.local.host));
    parts.here.ip = ip;
  } else if (!request.listens) {
    WAGGLE_LET(ip, ipv4_of(request.remote.host));
    parts.here.ip = neighbour_address(ip);
  }
  parts.here.mac = vhost_mac(parts.here.ip);
  parts.here.port = request.local.port != 0 ? request.local.port : some_port();
  parts.driver = parts.options.vhost_here ? "net_vhost" : "net_virtio_user";
  WAGGLE_LET(place, request.listens ? Place::of_listener(base) : wait_for_place(base, request.options.cancel));
  parts.place = std::move(place);
  parts.here.mac[1] = static_cast<std::uint8_t>(parts.place.number());
  WAGGLE_LET(pool, make_pool(parts.options));
  parts.pool = std::move(pool);
  std::vector<DeviceName> names;
  for (std::uint16_t i = 0; i < parts.options.clients; ++i) {
    const auto number = static_cast<std::uint16_t>(parts.place.number() + i);
    const std::string path = vhost_path(base, number);
    names.push_back({.bus = "vdev",
                     .name = vhost_device(parts.options, number),
                     .arguments = vhost_arguments(parts.options, path, request.listens),
                     .number = static_cast<std::uint8_t>(number),
                     .socket = request.listens && !parts.options.vhost_here ? path : ""});
  }
  auto opened = DeviceSet::open(names, parts.options, parts.pool.get());
  if (!opened && !request.listens) {
    return fail(Fault::peer_gone, opened.error().what, "see that the server runs");
  }
  WAGGLE_LET(devices, std::move(opened));
  parts.devices = std::move(devices);
  return parts;
}

/// Bytes of a slot of net_af_packet's rings for frames of this MTU: the kernel wants a power of two here, and puts some
/// 50 bytes of its own in front.
std::uint32_t packet_slot(std::uint32_t mtu) {
  return std::max(2'048U, std::bit_ceil(mtu + 14 + 64));
}

/// An mbuf with its head room, and what XDP keeps for itself, must fit into 4096 bytes.
constexpr std::uint32_t kMostXdpMtu = 3'400;

std::string veth_arguments(const Options& options, const std::string& interface) {
  if (options.driver == "af_xdp") {
    return fmt::format("iface={},start_queue=0,queue_count=1", interface);
  }
  const std::uint32_t slot = packet_slot(options.mtu);
  return fmt::format("iface={},qpairs=1,qdisc_bypass=1,framesz={},blocksz={},framecnt={}", interface, slot,
                     std::max(slot, 65'536U), std::max<std::uint32_t>(options.rx_descriptors, 65'536U / slot));
}

/// The device that a listener's address is on, or that leads to the server.
Result<Route> route_of(const PortRequest& request) {
  if (request.listens) {
    WAGGLE_LET(ip, request.local.host.empty() ? Result<std::uint32_t>(0) : ipv4_of(request.local.host));
    return interface_of(ip);
  }
  WAGGLE_LET(ip, ipv4_of(request.remote.host));
  return route_to(ip);
}

/// Whether net_af_xdp may have the interface, which it does not say in words that help: tries another program there.
Result<> check_free(const Interface& interface) {
  const auto tried = keep_packets_apart(interface.index);
  return tried || (tried.error().system != EBUSY && tried.error().system != EEXIST)
             ? Result<>()
             : fail(Fault::missing, fmt::format("another XDP program is attached to {} already", interface.name),
                    fmt::format("stop what uses it, or remove it by `ip link set dev {} xdp off`", interface.name));
}

Result<Parts> open_veth(const PortRequest& request) {
  WAGGLE_LET(route, route_of(request));
  WAGGLE_LET(options, read_options(request.settings, request.options, request.listens, route.interface.mtu));
  if (route.interface.loopback) {
    return fail(Fault::usage, "dpdk does not run over the loopback device", "use --link=vhost or --link=veth");
  }
  const bool packet = options.driver == "af_packet";
  if (!packet && route.interface.rx_queues != 1) {
    return fail(Fault::missing,
                fmt::format("{} has {} receive queues where net_af_xdp serves one", route.interface.name,
                            route.interface.rx_queues),
                "give it one, or choose dpdk.driver=af_packet");
  }
  WAGGLE_TRY(start_eal({.pci = {}, .cpus = options.cpus}));
  if (!packet && options.mtu > kMostXdpMtu) {
    return fail(Fault::missing, fmt::format("net_af_xdp does not take an MTU of {}", options.mtu),
                fmt::format("give the link one of at most {}, or choose dpdk.driver=af_packet", kMostXdpMtu));
  }
  // The first writes whole slots into mbufs; the other has the kernel write into mbufs, which the kernel wants to be at
  // least 2048 bytes and to leave room for XDP (256 bytes) besides their own.
  const std::uint32_t least =
      packet ? 128 + packet_slot(options.mtu) : std::max(2'176U, (options.mtu + 398 + 63) / 64 * 64);
  options.data_room = static_cast<std::uint16_t>(std::clamp<std::uint32_t>(options.data_room, least, 65'535));
  Parts parts{.options = std::move(options), .here = {.mac = route.interface.mac, .ip = route.source}};
  WAGGLE_LET(reserved, UdpReservation::make(route.source, request.local.port));
  parts.here.port = reserved.port();
  parts.udp_port.emplace(std::move(reserved));
  parts.driver = "net_" + parts.options.driver;
  parts.own_arp = !packet;  // net_af_xdp takes everything from the kernel
  parts.interface = route.interface;
  if (packet) {
    // Only where it can be had: with a peer that sends packets one by one it is not needed.
    parts.apart = keep_packets_apart(route.interface.index).value_or(UniqueFd());
  } else {
    WAGGLE_TRY(check_free(route.interface));
  }
  WAGGLE_LET(pool, make_pool(parts.options));
  parts.pool = std::move(pool);
  WAGGLE_LET(devices, DeviceSet::open({{.bus = "vdev",
                                        .name = fmt::format("{}{}", parts.driver, route.interface.index),
                                        .arguments = veth_arguments(parts.options, route.interface.name)}},
                                      parts.options, parts.pool.get()));
  parts.devices = std::move(devices);
  return parts;
}

/// A NIC that is bound to a driver for user space: there is no kernel interface, so its address is what we say.
Result<Parts> open_nic(const PortRequest& request) {
  WAGGLE_LET(options, read_options(request.settings, request.options, request.listens, 0));
  const std::string& pci = request.options.link_at;
  if (pci.empty()) {
    return fail(Fault::usage, "which NIC is not said", "give its PCI address");
  }
  WAGGLE_TRY(check_pci(pci));
  Parts parts{.options = std::move(options)};
  std::string host = request.settings.text("address");
  host = host.empty() ? request.local.host : host;
  WAGGLE_LET(ip, ipv4_of(host.empty() ? request.remote.host : host));
  parts.here.ip = host.empty() ? neighbour_address(ip) : ip;
  parts.here.port = request.local.port != 0 ? request.local.port : some_port();
  parts.own_arp = true;
  WAGGLE_TRY(start_eal({.pci = pci, .cpus = parts.options.cpus}));
  WAGGLE_LET(pool, make_pool(parts.options));
  parts.pool = std::move(pool);
  WAGGLE_LET(devices, DeviceSet::open({{.bus = "pci", .name = pci}}, parts.options, parts.pool.get()));
  parts.devices = std::move(devices);
  parts.here.mac = (*parts.devices)[0].mac();
  parts.driver = (*parts.devices)[0].driver();
  return parts;
}

Result<Parts> open_parts(const PortRequest& request) {
  if (request.options.link == "veth") {
    return open_veth(request);
  }
  if (request.options.link == "nic") {
    return open_nic(request);
  }
  return open_vhost(request);
}

/// Waits until a client's device says that its peer is there.
Result<> wait_until_up(const DpdkPort& port, std::chrono::nanoseconds timeout, const std::stop_token& cancel) {
  const Time end = now_ns() + static_cast<Time>(timeout.count());
  while (!port.up()) {
    if (now_ns() > end) {
      return fail(Fault::timeout, "the link did not come up", "see that the server runs");
    }
    if (!pause(cancel, std::chrono::milliseconds(1))) {
      return fail(Fault::cancelled, "waiting for the link was called off");
    }
  }
  return {};
}

}  // namespace

Result<std::vector<std::unique_ptr<Port>>> open_ports(const PortRequest& request) {
  WAGGLE_LET(parts, open_parts(request));
  auto port = std::make_unique<DpdkPort>(std::move(parts));
  if (!request.listens) {
    WAGGLE_TRY(wait_until_up(*port, request.options.timeout, request.options.cancel));
  }
  std::vector<std::unique_ptr<Port>> ports;
  ports.push_back(std::move(port));
  return ports;
}

}  // namespace waggle::packet::dpdk
