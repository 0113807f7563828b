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
  Peer local;                        ///< where it is bound
  std::uint32_t packet = 0;          ///< bytes of the largest UDP payload that the interface takes unfragmented
  std::uint32_t receive_buffer = 0;  ///< bytes that arriving packets may be charged for, with the kernel's overhead
  bool connected = false;            ///< to `remote`: the kernel tells when nobody listens there
  Peer remote;
  bool gso = false;
  bool gso_demanded = false;  ///< not only "auto": it is an error when the kernel refuses it later
  bool gro = false;
  std::vector<Mode> modes;  ///< as they were granted when it was opened
  /// As they are now; the kernel is asked again.
  std::vector<Mode> modes_now() const;
};

/// Opens one socket for `request`. With `shared` several sockets may be bound to one port (SO_REUSEPORT); `port` is the
/// one to bind to, 0 for any. DF is set and the kernel's idea of the path MTU is ignored (IP_PMTUDISC_PROBE), since
/// DPLPMTUD runs above. Fault::busy for a port in use, Fault::missing for what is not granted.
Result<UdpSocket> open_udp_socket(const PortRequest& request, std::uint16_t port, bool shared);

/// Whether a call has failed for what the socket is. Every other error is about one packet, its destination or a path.
bool is_broken(int error);

/// What a call may say of an earlier packet: ICMP has come, true or made up, or looks as if it had (icmp_err_convert[]
/// and __udp4_lib_err() in the kernel; RFC 1122, 4.1.3.3). The call itself has then done nothing.
bool is_hint(int error);

}  // namespace waggle::packet
