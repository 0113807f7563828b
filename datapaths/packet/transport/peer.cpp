// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/peer.hpp"

#include <fmt/format.h>

namespace waggle::packet {

std::string dotted(const Peer& peer) {
  return fmt::format("{}.{}.{}.{}:{}", peer.ip >> 24, peer.ip >> 16 & 255, peer.ip >> 8 & 255, peer.ip & 255,
                     peer.port);
}

}  // namespace waggle::packet
