// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace waggle {

/// Payload bytes that our own code has copied in user space, in this process.
inline std::atomic<std::uint64_t> user_copied_bytes{0};

/// The only way in which this project copies payload from memory to memory; every byte is counted (docs/measuring.md).
/// `to` must be at least as long as `from` and must not overlap it.
inline void copy_payload(ByteSpan to, ByteView from) {
  std::memcpy(to.data(), from.data(), from.size());
  user_copied_bytes.fetch_add(from.size(), std::memory_order_relaxed);
}

/// The same where the two may overlap, as inside one buffer.
inline void move_payload(std::byte* to, ByteView from) {
  std::memmove(to, from.data(), from.size());
  user_copied_bytes.fetch_add(from.size(), std::memory_order_relaxed);
}

}  // namespace waggle
