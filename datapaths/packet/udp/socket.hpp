// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/port.hpp"

namespace waggle::packet {

/// A non-blocking UDP socket over IPv4, bound and set up, with what the kernel granted.
struct UdpSocket {
  UniqueFd fd;
  std::uint16_t local_port = 0;
  std::uint32_t packet = 0;          ///< bytes of the largest UDP payload that the interface takes unfragmented
  std::uint32_t receive_buffer = 0;  ///< bytes that arriving packets may be charged for, with the kernel's overhead
  bool connected = false;            ///< to `remote`: the kernel tells when nobody listens there
  Peer remote;
  bool gso = false;
  bool gro = false;
  std::vector<Mode> modes;
};

/// Opens one socket for `request`. With `shared` several sockets may be bound to one port (SO_REUSEPORT); `port` is the
/// one to bind to, 0 for any. DF is set and the kernel's idea of the path MTU is ignored (IP_PMTUDISC_PROBE), since
/// DPLPMTUD runs above. Fault::busy for a port in use, Fault::missing for what is not granted.
Result<UdpSocket> open_udp_socket(const PortRequest& request, std::uint16_t port, bool shared);

}  // namespace waggle::packet
