// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <vector>

#include "datapaths/packet/port.hpp"

namespace waggle::packet {

/// Ports over kernel UDP sockets, one per queue when it listens and one for a client.
Result<std::vector<std::unique_ptr<Port>>> open_udp_ports(const PortRequest& request);
/// With their defaults, for Settings::of("udp", …).
std::vector<OptionInfo> udp_options();

}  // namespace waggle::packet
