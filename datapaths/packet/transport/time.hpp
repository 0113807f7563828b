// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace waggle::packet {

/// Nanoseconds of the clock that drives a connection: CLOCK_MONOTONIC, or virtual time in simulations.
using Time = std::uint64_t;
inline constexpr Time kNever = ~Time{0};

}  // namespace waggle::packet
