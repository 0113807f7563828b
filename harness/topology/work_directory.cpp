// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/work_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "harness/topology/hugepages.hpp"

namespace waggle::topology {
namespace {

constexpr std::string_view kPrefix = "waggle-";
constexpr std::size_t kNameLength = kPrefix.size() + 6;

UniqueFd open_directory(const std::filesystem::path& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// True when `path` still names what `directory` has open.
bool still_there(const std::filesystem::path& path, int directory) {
  struct stat named{};
  struct stat opened{};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(directory, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

bool ours(int directory) {
  struct stat opened{};
  return ::fstat(directory, &opened) == 0 && opened.st_uid == ::geteuid();
}

}  // namespace

Result<WorkDirectory> WorkDirectory::create(const std::filesystem::path& parent) {
  // A sweep may take the new directory between its making and its locking; then another one is made.
  while (true) {
    std::string name = (parent / fmt::format("{}XXXXXX", kPrefix)).string();
    if (::mkdtemp(name.data()) == nullptr) {
      return fail_errno(fmt::format("cannot make a work directory below {}", parent.string()), errno,
                        "choose another place with --work");
    }
    UniqueFd lock = open_directory(name);
    if (lock && ::flock(lock.get(), LOCK_EX) == 0 && still_there(name, lock.get())) {
      return WorkDirectory(name, std::move(lock));
    }
  }
}

Result<std::vector<std::filesystem::path>> WorkDirectory::sweep(const std::filesystem::path& parent) {
  std::error_code error;
  std::filesystem::directory_iterator entries(parent, error);
  if (error) {
    return fail_errno(fmt::format("cannot look into {}", parent.string()), error.value(),
                      "choose another place with --work");
  }
  std::vector<std::filesystem::path> removed;
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || name.size() != kNameLength) {
      continue;
    }
    const UniqueFd lock = open_directory(entry.path());
    if (!lock || !ours(lock.get()) || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 ||
        !still_there(entry.path(), lock.get())) {
      continue;
    }
    WAGGLE_TRY(Hugepages::give_back(entry.path()));
    std::filesystem::remove_all(entry.path(), error);
    if (error) {
      return fail_errno(fmt::format("cannot remove {}", entry.path().string()), error.value());
    }
    removed.push_back(entry.path());
  }
  return removed;
}

WorkDirectory::WorkDirectory(WorkDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

WorkDirectory::~WorkDirectory() {
  if (!path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace waggle::topology
