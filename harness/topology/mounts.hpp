// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"

namespace waggle::topology {

/// Moves the calling thread, and the processes that it starts from now on, into a mount namespace of their own, where
/// nothing is shared with the outside: what is mounted there is removed by the kernel when the last of them dies.
/// The thread stays there. Fault::missing without the rights.
Result<> enter_private_mounts();

/// One mount in the calling thread's mount namespace, taken down by destruction.
class Mount {
 public:
  /// A tmpfs on the existing directory `at`; `huge` asks for huge=always (Linux: Documentation/filesystems/tmpfs.rst).
  static Result<Mount> tmpfs(const std::filesystem::path& at, bool huge);
  /// The existing file or directory `from` appears, read-only, in the place of the existing `at`.
  static Result<Mount> bind_read_only(const std::filesystem::path& from, const std::filesystem::path& at);

  Mount(Mount&& other) noexcept : at_(std::exchange(other.at_, {})), huge_(std::move(other.huge_)) {}
  Mount& operator=(Mount&& other) noexcept;
  ~Mount();

  /// The kind of huge pages that the kernel says this tmpfs takes, as in its mount options ("huge"): requested,
  /// granted.
  const Mode& huge() const { return huge_; }

 private:
  explicit Mount(std::filesystem::path at) : at_(std::move(at)) {}
  void take_down() noexcept;

  std::filesystem::path at_;
  Mode huge_;
};

}  // namespace waggle::topology
