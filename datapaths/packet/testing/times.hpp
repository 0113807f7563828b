// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "datapaths/packet/transport/time.hpp"

/// Spans of time that tests of packets are written in.
namespace waggle::packet {

inline constexpr Time kMs = 1'000'000;          ///< ns
inline constexpr Time kSecond = 1'000'000'000;  ///< ns

}  // namespace waggle::packet
