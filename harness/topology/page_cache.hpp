// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.hpp"

namespace waggle::topology {

/// How much of some files is in the page cache.
struct Residency {
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;  ///< pages of them that are in memory
  /// "warm" when all are, "cold" when none is, otherwise "37 % warm".
  std::string state() const;
};

/// Residency of a file, or of all regular files below a directory (mincore(2)).
Result<Residency> residency(const std::filesystem::path& path);
/// Reads what is missing, so that all of it is in memory; returns what that came to.
Result<Residency> warm(const std::filesystem::path& path);
/// Writes back and drops all of it from memory (posix_fadvise(2) DONTNEED, and where pages stay, the whole machine's
/// clean page cache by /proc/sys/vm/drop_caches); returns what that came to.
Result<Residency> chill(const std::filesystem::path& path);

}  // namespace waggle::topology
