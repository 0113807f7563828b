// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <vector>

#include "harness/store/leftover.hpp"
#include "harness/store/partial.hpp"

namespace waggle::store {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Directory open_directory(int parent, const char* name, off_t position = 0) {
  UniqueFd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || ::lseek(fd.get(), position, SEEK_SET) < 0) {
    return nullptr;
  }
  DIR* const directory = ::fdopendir(fd.get());
  if (directory != nullptr) {
    fd.release();
  }
  return Directory(directory);
}

/// The directories from the top to where the sweep is. The first ones stay open; of those below, whose depth others
/// decide, only the last is, and the one above it is opened again on the way up.
class Path {
 public:
  explicit Path(Directory top) { levels_.push_back({.open = std::move(top)}); }

  bool empty() const { return levels_.empty(); }
  DIR* here() const { return levels_.back().open.get(); }

  /// From here, where `position` comes after the entry.
  void enter(Directory below, off_t position) {
    struct stat status{};
    if (levels_.size() > kKeptOpen && ::fstat(::dirfd(here()), &status) == 0) {
      levels_.back() = {.open = nullptr, .position = position, .device = status.st_dev, .inode = status.st_ino};
    }
    levels_.push_back({.open = std::move(below)});
  }
  void leave() {
    const Directory left = std::move(levels_.back().open);
    levels_.pop_back();
    if (!levels_.empty() && !levels_.back().open) {
      reopen(::dirfd(left.get()));
    }
  }

 private:
  static constexpr std::size_t kKeptOpen = 64;
  struct Level {
    Directory open;
    off_t position = 0;  ///< where to go on; this and the following only of what was closed
    dev_t device = 0;
    ino_t inode = 0;
  };

  /// What was moved elsewhere meanwhile is left, up to where the path is still open.
  void reopen(int below) {
    Level& level = levels_.back();
    level.open = open_directory(below, "..", level.position);
    struct stat status{};
    const bool same = level.open && ::fstat(::dirfd(level.open.get()), &status) == 0 && status.st_dev == level.device &&
                      status.st_ino == level.inode;
    if (!same) {
      levels_.resize(kKeptOpen);
    }
  }

  std::vector<Level> levels_;
};

/// Seconds since the epoch. Not time(2), whose clock lags by a tick: a file may then be younger than now.
std::int64_t now_seconds() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

/// Removes one partial file when it is old, ours and nobody holds its lock.
bool remove_if_stale(int directory, const std::string& name, std::chrono::seconds age) {
  struct stat status{};
  const auto young = [&] { return now_seconds() - status.st_mtim.tv_sec < age.count(); };
  // One that is being made must not even be locked.
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || young()) {
    return false;
  }
  const auto taken = take_leftover(directory, name);
  if (!taken || taken->kind != Leftover::Kind::ours) {
    return false;
  }
  status = taken->status;
  return !young() && remove_leftover(directory, name, *taken);
}

bool same_device(int directory, const char* name, dev_t device) {
  struct stat status{};
  return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
         status.st_dev == device;
}

}  // namespace

Result<std::size_t> sweep_partials(int directory, std::chrono::seconds age, const std::stop_token& stop) {
  Path path(open_directory(directory, "."));
  struct stat top{};
  if (path.here() == nullptr || ::fstat(::dirfd(path.here()), &top) != 0) {
    return fail_errno("cannot read the served directory");
  }
  std::size_t removed = 0;
  while (!path.empty() && !stop.stop_requested()) {
    const int here = ::dirfd(path.here());
    const dirent* const entry = ::readdir(path.here());
    if (entry == nullptr) {
      path.leave();
      continue;
    }
    const std::string_view name(entry->d_name);
    const bool maybe_directory = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
    if (has_partial_shape(name)) {
      removed += remove_if_stale(here, entry->d_name, age) ? 1 : 0;
    } else if (name != "." && name != ".." && maybe_directory && same_device(here, entry->d_name, top.st_dev)) {
      // A directory that cannot be read holds nothing that we could have written.
      if (Directory below = open_directory(here, entry->d_name)) {
        path.enter(std::move(below), entry->d_off);
      }
    }
  }
  return removed;
}

}  // namespace waggle::store
