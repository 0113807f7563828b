// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/afxdp/port.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <bit>

#include "base/mode.hpp"
#include "datapaths/packet/afxdp/queue_port.hpp"
#include "datapaths/packet/slab.hpp"

namespace waggle::packet {
namespace {

constexpr std::uint32_t kLeastPacket = 1200;  // where path MTU discovery starts (RFC 8899)
constexpr std::uint32_t kSmallChunk = 2048;
constexpr std::uint32_t kLargeChunk = 4096;

Result<Route> choose_route(const PortRequest& request) {
  if (!request.local.host.empty()) {
    WAGGLE_LET(ip, ipv4_of(request.local.host));
    return interface_of(ip);
  }
  if (request.listens) {
    return interface_of(0);
  }
  WAGGLE_LET(ip, ipv4_of(request.remote.host));
  return route_to(ip);
}

Result<std::uint32_t> ring_size(const Settings& settings, std::string_view option) {
  const std::uint64_t size = settings.number(option);
  if (!std::has_single_bit(size)) {
    return fail(Fault::usage, fmt::format("afxdp.{}={} makes no sense", option, size), "give a power of two");
  }
  return static_cast<std::uint32_t>(size);
}

std::uint32_t chunk_size(const Settings& settings, std::uint32_t mtu) {
  const std::string text = settings.text("frame");
  if (settings.flag("multi_buffer") && text == "auto") {
    return kLargeChunk;
  }
  if (text == "auto") {
    return mtu - kIpAndUdp <= QueuePort::room(kSmallChunk) ? kSmallChunk : kLargeChunk;
  }
  return text == "2048" ? kSmallChunk : kLargeChunk;
}

Result<QueueOptions> queue_options(const Settings& settings, const Interface& interface) {
  QueueOptions options;
  options.interface = interface.name;
  WAGGLE_LET(rx_frames, ring_size(settings, "rx_ring"));
  WAGGLE_LET(tx_frames, ring_size(settings, "tx_ring"));
  options.chunk = chunk_size(settings, interface.mtu);
  options.rx_frames = rx_frames;
  options.tx_frames = tx_frames;
  options.busy_poll = static_cast<std::uint32_t>(settings.number("busy_poll"));
  options.busy_budget = static_cast<std::uint32_t>(settings.number("busy_budget"));
  options.hugepages = settings.text("umem") == "hugepages";
  options.multi_buffer = settings.flag("multi_buffer");
  options.need_wakeup = settings.flag("need_wakeup");
  options.zero_copy = settings.text("zero_copy");
  options.allow_fallback = settings.allow_fallback();
  return options;
}

/// Every receive queue must have its socket, or what arrives there goes to the kernel and is lost. And a socket sends
/// on the queue that it receives on: where the device has no such queue, the kernel says yes to a send and takes
/// nothing from the ring. A client has one thread and so one queue.
Result<> check_queues(const Interface& interface, std::uint64_t queues, bool listens) {
  if (interface.rx_queues == queues && interface.tx_queues >= queues) {
    return {};
  }
  const std::string change =
      fmt::format("`ethtool -L {0} combined {1}` (of a veth: rx {1} tx {1})", interface.name, queues);
  return fail(
      Fault::missing,
      fmt::format("{} has {} queues to receive and {} to send where afxdp {} {}", interface.name, interface.rx_queues,
                  interface.tx_queues, listens ? "serves" : "takes", queues),
      listens ? fmt::format("set afxdp.queues={}, or give it {} by --queues or {}", interface.rx_queues, queues, change)
              : fmt::format("run {}", change));
}

}  // namespace

Result<std::vector<std::unique_ptr<Port>>> open_afxdp_ports(const PortRequest& request) {
  const Settings& settings = request.settings;
  const std::uint64_t queues = request.listens ? settings.number("queues") : 1;
  WAGGLE_LET(route, choose_route(request));
  if (route.interface.mtu < kLeastPacket + kIpAndUdp) {
    return fail(Fault::missing,
                fmt::format("the MTU of {} is {} and too small", route.interface.name, route.interface.mtu),
                fmt::format("raise it to {} or more", kLeastPacket + kIpAndUdp));
  }
  WAGGLE_TRY(check_queues(route.interface, queues, request.listens));
  WAGGLE_LET(options, queue_options(settings, route.interface));
  WAGGLE_LET(reservation, UdpReservation::make(route.source, request.local.port));
  WAGGLE_TRY(RedirectProgram::check_free(route.interface));
  const Station local{route.interface.mac, route.source, reservation.port()};
  // Sockets first: attaching the program makes a veth take up polling, which must find frames to fill.
  std::vector<std::unique_ptr<Queue>> sockets;
  for (options.queue = 0; options.queue < queues; ++options.queue) {
    WAGGLE_LET(socket, Queue::open(options, request.options.cancel));
    sockets.push_back(std::move(socket));
  }
  WAGGLE_LET(program,
             RedirectProgram::attach(route.interface, local, settings.text("mode"), settings.allow_fallback()));
  auto shared = std::make_shared<AfxdpInterface>(
      std::move(reservation), route.interface, local,
      settings.flag("udp_checksum") ? UdpChecksum::computed : UdpChecksum::none, std::move(program));
  std::vector<std::unique_ptr<Port>> ports;
  for (auto& socket : sockets) {
    WAGGLE_TRY(shared->program.add(socket->options().queue, socket->fd()));
    WAGGLE_LET(port,
               QueuePort::create(shared, std::move(socket),
                                 {shared->program.mode(), {"queues", std::to_string(queues), std::to_string(queues)}}));
    ports.push_back(std::move(port));
  }
  return ports;
}

std::vector<OptionInfo> afxdp_options() {
  return {
      {"mode", "native", OptionType::choice({"native", "generic", "auto"}),
       "how the XDP program is attached: native, generic or auto"},
      {"zero_copy", "auto", OptionType::choice({"auto", "yes", "no"}),
       "whether the device reads and writes frames itself: auto, yes or no"},
      {"need_wakeup", "yes", OptionType::on_or_off("yes", "no"),
       "the kernel says when it needs a system call (XDP_USE_NEED_WAKEUP)"},
      {"busy_poll", "0", OptionType::number(0, 1'000'000),
       "microseconds; above 0 the device is polled by our system calls (SO_PREFER_BUSY_POLL)"},
      {"busy_budget", "64", OptionType::number(1, 65535), "frames per busy poll (SO_BUSY_POLL_BUDGET)"},
      {"frame", "auto", OptionType::choice({"2048", "4096", "auto"}),
       "bytes of UMEM per frame: 2048, 4096 or auto, by the MTU"},
      {"multi_buffer", "no", OptionType::on_or_off("yes", "no"),
       "frames longer than a chunk, for jumbo MTUs (XDP_USE_SG); costs a copy per received frame"},
      {"rx_ring", "2048", OptionType::number(64, 65536), "frames to receive into, and the sizes of RX and fill ring"},
      {"tx_ring", "256", OptionType::number(64, 65536),
       "sizes of TX and completion ring; seven eighths of that are frames to send from"},
      {"umem", "pages", OptionType::choice({"pages", "hugepages"}), "what the frames lie on: pages or hugepages"},
      {"udp_checksum", "no", OptionType::on_or_off("yes", "no"),
       "fill in the UDP checksum; the CRC32C of a packet does not need it"},
      {"queues", "1", OptionType::number(1, 64), "receive queues that a server serves"}};
}

std::uint64_t afxdp_hugepage_bytes(const PortUse& use) {
  if (use.settings.text("umem") != "hugepages") {
    return 0;
  }
  const auto number = [&](std::string_view option) { return use.settings.number(option); };
  const std::uint64_t queue = Slab::size((number("rx_ring") + number("tx_ring")) * kLargeChunk, true);
  return queue * (use.listens ? number("queues") : 1);
}

Result<> afxdp_available() {
  const UniqueFd socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) {
    return errno == EPERM
               ? fail(Fault::missing, "cannot open an AF_XDP socket: only root may",
                      "run it with sudo, or with CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW")
               : fail(Fault::missing, "this kernel has no AF_XDP sockets", "use a kernel with CONFIG_XDP_SOCKETS");
  }
  WAGGLE_TRY(RedirectProgram::load({}, false));
  return {};
}

}  // namespace waggle::packet
