// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"

namespace waggle::topology {

/// Hugepages of the kernel's default size, reserved for as long as this lives (Linux: admin-guide/mm/hugetlbpage.rst).
/// The kernel's pool is raised by them and lowered by exactly that at the end; pages that are still in use then go when
/// their user does. Pages that are free already are relied on only where the pool cannot be raised: they may be those
/// of another program that is about to use them. What was raised is noted in a work directory, so that
/// WorkDirectory::sweep() gives back what a killed program has left.
class Hugepages {
 public:
  /// Sees to it that `bytes` are free, on one NUMA node or, with -1, on any; `work` is the directory of the note.
  /// Fault::missing, with the command that would help, when the kernel has no hugepages, the user may not raise the
  /// pool, or memory is too fragmented.
  static Result<Hugepages> reserve(std::uint64_t bytes, const std::filesystem::path& work, int node = -1);
  /// Gives back what the note in `work` says, if there is one; returns the number of pages.
  static Result<std::uint64_t> give_back(const std::filesystem::path& work);

  Hugepages(Hugepages&& other) noexcept : work_(std::exchange(other.work_, {})), mode_(std::move(other.mode_)) {}
  Hugepages& operator=(Hugepages&&) = delete;
  ~Hugepages();

  /// "hugepages", requested and granted: "64 x 2048 KiB", free when this was made.
  const Mode& mode() const { return mode_; }

 private:
  Hugepages(std::filesystem::path work, Mode mode) : work_(std::move(work)), mode_(std::move(mode)) {}
  std::filesystem::path work_;  ///< empty: nothing to give back
  Mode mode_;
};

}  // namespace waggle::topology
