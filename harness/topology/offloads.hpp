// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <string>
#include <vector>

#include "datapaths/datapath.hpp"

namespace waggle::topology {

/// Turns checksum, scatter-gather, TSO, GSO and GRO offloads of a device of the calling thread's network namespace on
/// or off, and reads back what the kernel made of it (ethtool ioctls, linux/ethtool.h).
Result<std::vector<Mode>> set_offloads(const std::string& device, bool on);
/// Whether each of them is on now, by name.
Result<std::map<std::string, bool>> read_offloads(const std::string& device);

}  // namespace waggle::topology
