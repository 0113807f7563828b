// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <vector>

#include "datapaths/packet/port.hpp"

namespace waggle::packet::dpdk {

/// Starts the EAL if need be and opens the port that is asked for. A client's is ready when this returns.
Result<std::vector<std::unique_ptr<Port>>> open_ports(const PortRequest& request);

}  // namespace waggle::packet::dpdk
