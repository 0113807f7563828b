// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace waggle {

/// Bytes from "1500", "64K", "1.5M", "1GiB" (powers of 1024) or "100kB", "2MB" (powers of 1000); case does not matter.
/// Fractions are rounded to the nearest byte. Fault::usage when it is no size or needs more than 64 bits.
Result<std::uint64_t> parse_size(std::string_view text);

/// A time from "10s", "200ms", "50us", "100ns", "1.5m" (minutes), "2h"; a bare number is seconds. Never negative.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// What happens per second, from "1500", "20k", "2.5M", "10Gbit/s", "1M/s" (powers of 1000): requests or bits, as the
/// option says. Never negative.
Result<double> parse_rate(std::string_view text);

/// "512 B", "1.50 KiB", "1 GiB": powers of 1024, three digits that matter.
std::string format_bytes(std::uint64_t bytes);

/// "23.4 Gbit/s" from bits per second: powers of 1000, as links are named.
std::string format_rate(double bits_per_second);

/// "812 ns", "50.7 µs", "6.50 ms", "12.3 s", "2 min 05 s".
std::string format_duration_ns(double nanoseconds);

/// "10,000": digits in groups of three.
std::string format_count(std::uint64_t count);

}  // namespace waggle
