// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/open.hpp"

#include <chrono>
#include <random>
#include <thread>

#include "base/clock.hpp"
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
Result<Place> wait_for_place(const std::string& base) {
  auto place = Place::of_client(base);
  for (int tries = 0; !place && place.error().fault != Fault::usage && tries < 100; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    place = Place::of_client(base);
  }
  return place;
}

Result<Parts> open_vhost(const PortRequest& request, Options options) {
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
  WAGGLE_LET(place, request.listens ? Place::of_listener(base) : wait_for_place(base));
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

/// Waits until a client's device says that its peer is there.
Result<> wait_until_up(const DpdkPort& port, std::chrono::nanoseconds timeout) {
  const Time end = now_ns() + static_cast<Time>(timeout.count());
  while (!port.up()) {
    if (now_ns() > end) {
      return fail(Fault::timeout, "the server did not answer on the vhost-user socket");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

}  // namespace

Result<std::vector<std::unique_ptr<Port>>> open_ports(const PortRequest& request) {
  WAGGLE_LET(options, read_options(request.settings, request.options, request.listens, 0));
  WAGGLE_TRY(start_eal({.pci = {}, .cpus = options.cpus}));
  WAGGLE_LET(parts, open_vhost(request, std::move(options)));
  auto port = std::make_unique<DpdkPort>(std::move(parts));
  if (!request.listens) {
    WAGGLE_TRY(wait_until_up(*port, request.options.timeout));
  }
  std::vector<std::unique_ptr<Port>> ports;
  ports.push_back(std::move(port));
  return ports;
}

}  // namespace waggle::packet::dpdk
