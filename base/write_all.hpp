// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "base/bytes.hpp"

namespace waggle {

/// Writes all of it, however little the kernel takes at a time, and goes on after signals. False, with errno, when it
/// cannot.
inline bool write_all(int file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    bytes = bytes.subspan(wrote > 0 ? static_cast<std::size_t>(wrote) : 0);
  }
  return true;
}

}  // namespace waggle
