// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace waggle::packet {

/// CRC32C (Castagnoli, RFC 3720 appendix B.4): crc32c(0, "123456789") == 0xE3069283. `crc` continues an earlier one.
/// Uses 512-bit carry-less multiplication or the CPU's CRC instruction, three streams at a time, where it has them,
/// decided once at run time; otherwise tables.
std::uint32_t crc32c(std::uint32_t crc, ByteView bytes);

/// Copies payload as copy_payload() does, counted, and returns crc32c(crc, from) from the same pass.
/// `to` is at least as long as `from` and does not overlap it.
std::uint32_t copy_payload_crc32c(ByteSpan to, ByteView from, std::uint32_t crc);

}  // namespace waggle::packet
