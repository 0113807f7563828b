// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/udp/socket.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/mode.hpp"
#include "datapaths/packet/route.hpp"

namespace waggle::packet {
namespace {

constexpr std::uint32_t kLargestPacket = 65507;
/// Where the interface is not known, jumbo frames are the most that is worth a probe.
constexpr std::uint32_t kUnknownMtu = 9000;
constexpr int kReceiveBuffer = 8 << 20;
constexpr int kSendBuffer = 4 << 20;

int get(int fd, int level, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : -1;
}

bool set(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

std::string yes_or_no(bool value) {
  return value ? "yes" : "no";
}

/// The kernel doubles what is asked for, for its own structures (man 7 socket). Beyond net.core.[rw]mem_max only with
/// CAP_NET_ADMIN.
Result<Mode> set_buffer(int fd, bool to_send, const ChannelOptions& options) {
  const std::uint64_t wanted = to_send ? options.send_buffer : options.receive_buffer;
  const std::uint64_t bytes = wanted != 0 ? wanted : static_cast<std::uint64_t>(to_send ? kSendBuffer : kReceiveBuffer);
  const int value = static_cast<int>(std::min<std::uint64_t>(bytes, INT32_MAX / 2));
  if (!set(fd, SOL_SOCKET, to_send ? SO_SNDBUFFORCE : SO_RCVBUFFORCE, value)) {
    set(fd, SOL_SOCKET, to_send ? SO_SNDBUF : SO_RCVBUF, value);
  }
  const int granted = get(fd, SOL_SOCKET, to_send ? SO_SNDBUF : SO_RCVBUF) / 2;
  return grant({to_send ? "send_buffer" : "receive_buffer", wanted != 0 ? std::to_string(wanted) : "auto",
                std::to_string(granted)},
               options.allow_fallback, fmt::format("raise net.core.{}mem_max", to_send ? 'w' : 'r'));
}

/// Both are asked of the kernel and read back. UDP_SEGMENT is set per message later; here only whether it is known.
/// Without a checksum there is no segmentation: udp_send_skb() in the kernel refuses it.
Result<std::vector<Mode>> set_offloads(int fd, const Settings& settings) {
  const std::string gso = settings.text("gso");
  if (gso == "yes" && !settings.flag("udp_checksum")) {
    return fail(Fault::usage, "udp.udp_checksum=no goes only without segmentation", "leave out udp.gso=yes");
  }
  const bool gro = settings.flag("gro");
  const bool segments = gso != "no" && settings.flag("udp_checksum") && set(fd, SOL_UDP, UDP_SEGMENT, 1200) &&
                        get(fd, SOL_UDP, UDP_SEGMENT) == 1200 && set(fd, SOL_UDP, UDP_SEGMENT, 0);
  // Kernels before 6.6 set UDP_GRO but cannot be asked for it.
  const bool merges = gro && set(fd, SOL_UDP, UDP_GRO, 1) && get(fd, SOL_UDP, UDP_GRO) != 0;
  const std::string hint = "use Linux 5.0 or later";
  WAGGLE_LET(gso_mode, grant({"gso", gso, yes_or_no(segments)}, settings.allow_fallback(), hint));
  WAGGLE_LET(gro_mode, grant({"gro", yes_or_no(gro), yes_or_no(merges)}, settings.allow_fallback(), hint));
  return std::vector<Mode>{gso_mode, gro_mode};
}

Result<Mode> set_busy_poll(int fd, const Settings& settings) {
  const std::uint64_t micros = settings.number("busy_poll");
  if (micros > 0) {
    set(fd, SOL_SOCKET, SO_BUSY_POLL, static_cast<int>(micros));
  }
  const int granted = micros > 0 ? get(fd, SOL_SOCKET, SO_BUSY_POLL) : 0;
  return grant({"busy_poll", std::to_string(micros), std::to_string(granted)}, settings.allow_fallback(),
               "run as root (CAP_NET_ADMIN)");
}

Result<Mode> set_checksum(int fd, const Settings& settings) {
  const bool wanted = settings.flag("udp_checksum");
  if (!wanted) {
    set(fd, SOL_SOCKET, SO_NO_CHECK, 1);
  }
  return grant({"udp_checksum", yes_or_no(wanted), yes_or_no(get(fd, SOL_SOCKET, SO_NO_CHECK) == 0)},
               settings.allow_fallback(), "set udp.udp_checksum=yes");
}

Result<Mode> set_path_mtu(int fd, const Settings& settings) {
  set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  const bool probes = get(fd, IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_PROBE;
  return grant({"path_mtu", "probe", probes ? "probe" : "kernel"}, settings.allow_fallback(),
               "use Linux 2.6.22 or later");
}

Result<> bind_to(int fd, std::uint32_t ip, std::uint16_t port) {
  const sockaddr_in at{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(ip)}, .sin_zero = {}};
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
    return {};
  }
  if (errno == EADDRINUSE) {
    return fail(Fault::busy, fmt::format("UDP port {} is in use", port),
                "stop what listens there, or choose another port");
  }
  return fail_errno(fmt::format("cannot bind to {}:{}", ipv4_text(ip), port));
}

std::uint32_t packet_for(std::uint32_t mtu) {
  return std::min(mtu - std::min(mtu, kIpAndUdp), kLargestPacket);
}

/// Where packets leave decides how large they may be, and for a client the socket is tied to its server.
Result<> aim(UdpSocket& socket, const PortRequest& request, std::uint16_t port) {
  std::uint32_t local = 0;
  if (!request.local.host.empty()) {
    WAGGLE_LET(ip, ipv4_of(request.local.host));
    local = ip;
  }
  WAGGLE_TRY(bind_to(socket.fd.get(), local, port));
  if (request.listens) {
    const auto at = interface_of(local);
    socket.packet = packet_for(at ? at->interface.mtu : kUnknownMtu);
    return {};
  }
  WAGGLE_LET(ip, ipv4_of(request.remote.host));
  WAGGLE_LET(route, route_to(ip));
  socket.packet = packet_for(route.interface.mtu);
  socket.remote = {ip, request.remote.port, {}};
  const sockaddr_in to{
      .sin_family = AF_INET, .sin_port = htons(socket.remote.port), .sin_addr = {htonl(ip)}, .sin_zero = {}};
  if (::connect(socket.fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return fail_errno(fmt::format("cannot connect to {}:{}", ipv4_text(ip), socket.remote.port));
  }
  socket.connected = true;
  return {};
}

}  // namespace

std::vector<Mode> UdpSocket::modes_now() const {
  std::vector<Mode> now = modes;
  for (Mode& mode : now) {
    if (mode.name == "send_buffer" || mode.name == "receive_buffer") {
      mode.granted = std::to_string(get(fd.get(), SOL_SOCKET, mode.name == "send_buffer" ? SO_SNDBUF : SO_RCVBUF) / 2);
    } else if (mode.name == "busy_poll" && mode.requested != "0") {
      mode.granted = std::to_string(get(fd.get(), SOL_SOCKET, SO_BUSY_POLL));
    }
  }
  return now;
}

bool is_broken(int error) {
  return error == EBADF || error == ENOTSOCK || error == EFAULT;
}

bool is_hint(int error) {
  switch (error) {
    case ECONNREFUSED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EMSGSIZE:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO: return true;
    default: return false;
  }
}

Result<UdpSocket> open_udp_socket(const PortRequest& request, std::uint16_t port, bool shared) {
  UdpSocket socket;
  socket.fd.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = socket.fd.get();
  if (fd < 0) {
    return fail_errno("cannot make a UDP socket");
  }
  if (shared && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return fail_errno("cannot share a UDP port among queues");
  }
  WAGGLE_LET(offloads, set_offloads(fd, request.settings));
  WAGGLE_LET(send_buffer, set_buffer(fd, true, request.options));
  WAGGLE_LET(receive_buffer, set_buffer(fd, false, request.options));
  WAGGLE_LET(checksum, set_checksum(fd, request.settings));
  WAGGLE_LET(path_mtu, set_path_mtu(fd, request.settings));
  WAGGLE_LET(busy_poll, set_busy_poll(fd, request.settings));
  socket.gso = offloads[0].granted == "yes";
  socket.gso_demanded = offloads[0].requested == "yes" && !request.settings.allow_fallback();
  socket.gro = offloads[1].granted == "yes";
  socket.modes = std::move(offloads);
  socket.modes.insert(socket.modes.end(), {send_buffer, receive_buffer, checksum, path_mtu, busy_poll});
  socket.receive_buffer = static_cast<std::uint32_t>(get(fd, SOL_SOCKET, SO_RCVBUF));
  WAGGLE_TRY(aim(socket, request, port));
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return fail_errno("cannot tell where a UDP socket is bound");
  }
  socket.local = {ntohl(bound.sin_addr.s_addr), ntohs(bound.sin_port), {}};
  return socket;
}

}  // namespace waggle::packet
