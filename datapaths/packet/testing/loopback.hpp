// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "datapaths/datapath.hpp"

namespace waggle::packet {

/// What tests on the loopback interface open their channels with.
inline const ChannelOptions kLoopback{.link = "loopback"};

}  // namespace waggle::packet
