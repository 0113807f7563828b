// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.hpp"

/// What the system lets this process have, and whether that is enough: told before minutes are spent, not after.
namespace waggle::topology {

/// Raises the soft limits of open files, locked memory and processes to the hard ones (man 2 getrlimit), for this
/// process and those that it starts. Where that is refused they stay.
void raise_limits();

/// Descriptors that this process may have, its soft RLIMIT_NOFILE.
std::uint64_t open_files_limit();

/// A bound that a control group sets, and what its processes have of it.
struct GroupBound {
  std::uint64_t most = 0;
  std::uint64_t used = 0;
  std::filesystem::path file;  ///< where it is set
  std::uint64_t left() const { return most - (used < most ? used : most); }
};

/// The tightest bound on tasks (pids.max) of the groups that this process is in, of either version of control groups
/// (man 7 cgroups); empty when none sets one. `root`: where /proc and /sys are.
std::optional<GroupBound> task_bound(const std::filesystem::path& root = "/");

/// The same of hugepages of `page` bytes (hugetlb.2MB.max …), in bytes.
std::optional<GroupBound> hugepage_bound(std::uint64_t page, const std::filesystem::path& root = "/");

/// What an experiment or a server takes at most.
struct Needs {
  std::uint64_t open_files = 0;  ///< of its hungriest process
  std::uint64_t tasks = 0;       ///< of all its processes together
};

/// Of an experiment with so many connections, whatever its datapath and workload.
Needs needs_of_clients(std::uint64_t clients);

/// Fault::missing, with the number that is needed and the command that gives it. `what` needs it: "600 clients".
Result<> check_limits(const Needs& needs, std::string_view what, const std::filesystem::path& root = "/");

}  // namespace waggle::topology
