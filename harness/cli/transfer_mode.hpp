// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace waggle::cli {

/// Modes that files and directories get by `get` and `put`: the source's permission bits, filtered by the umask of
/// whoever calls (as by cp(1)), or exactly those.
class TransferMode {
 public:
  explicit TransferMode(bool exact) : mask_(exact ? 0 : ::umask(0)) {
    if (!exact) {
      ::umask(mask_);
    }
  }

  std::uint32_t of(std::uint32_t stated) const { return stated & 0777U & ~mask_; }
  /// Of a directory while it is filled: its owner can work in it.
  std::uint32_t while_filled(std::uint32_t stated) const { return of(stated) | 0700U; }

 private:
  mode_t mask_;
};

}  // namespace waggle::cli
