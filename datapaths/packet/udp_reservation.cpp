// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/udp_reservation.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "datapaths/packet/route.hpp"

namespace waggle::packet {

Result<UdpReservation> UdpReservation::make(std::uint32_t ip, std::uint16_t port) {
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog drop{1, &nothing};
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &drop, sizeof drop) != 0) {
    return fail_errno("cannot make a UDP socket");
  }
  sockaddr_in at{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(ip)}, .sin_zero = {}};
  socklen_t size = sizeof at;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    if (errno == EADDRINUSE) {
      return fail(Fault::busy, fmt::format("UDP port {} is in use", port),
                  "stop what listens there, or choose another port");
    }
    return fail_errno(fmt::format("cannot reserve {}:{}", ipv4_text(ip), port));
  }
  return UdpReservation(std::move(socket), ntohs(at.sin_port));
}

}  // namespace waggle::packet
