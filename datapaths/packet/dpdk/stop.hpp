// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace waggle::packet::dpdk {

/// Stops a device whose driver tells of link changes, so that EAL's interrupt thread has nothing left to do for it and
/// its descriptors may be closed. Returns when it is done; nobody else may use the device meanwhile.
void stop_settled(std::uint16_t id);

}  // namespace waggle::packet::dpdk
