// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::packet {

/// Keeps a UDP port for a program that goes around the kernel's network stack: nobody else gets it, and the kernel does
/// not refuse by ICMP what reaches it nevertheless, but drops it. When the process ends the kernel refuses again, so
/// that a connected peer notices.
class UdpReservation {
 public:
  /// Reserves `port` of the local address `ip` (host byte order), any free one with 0. Fault::busy when it is in use.
  static Result<UdpReservation> make(std::uint32_t ip, std::uint16_t port);
  std::uint16_t port() const { return port_; }

 private:
  UdpReservation(UniqueFd socket, std::uint16_t port) : socket_(std::move(socket)), port_(port) {}
  UniqueFd socket_;
  std::uint16_t port_;
};

}  // namespace waggle::packet
