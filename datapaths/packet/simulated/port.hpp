// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <vector>

#include "datapaths/packet/port.hpp"

namespace waggle::packet {

/// UDP ports behind virtual links. Both ends hold back and damage what they receive, so that both directions suffer.
Result<std::vector<std::unique_ptr<Port>>> open_simulated_ports(const PortRequest& request);
std::vector<OptionInfo> simulated_options();

}  // namespace waggle::packet
