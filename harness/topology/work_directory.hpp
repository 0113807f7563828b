// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::topology {

/// A directory `waggle-XXXXXX` for the files of one experiment, removed by destruction. Its owner holds flock(2) on it
/// for as long as it lives, so that what a killed program has left can be told from what is in use.
class WorkDirectory {
 public:
  /// Makes one below `parent`.
  static Result<WorkDirectory> create(const std::filesystem::path& parent);
  /// Removes those below `parent` that belong to this user and that nobody holds, and gives back the hugepages that
  /// they note; returns their paths.
  static Result<std::vector<std::filesystem::path>> sweep(const std::filesystem::path& parent);

  WorkDirectory(WorkDirectory&& other) noexcept;
  WorkDirectory& operator=(WorkDirectory&&) = delete;
  ~WorkDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  WorkDirectory(std::filesystem::path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  UniqueFd lock_;
};

}  // namespace waggle::topology
