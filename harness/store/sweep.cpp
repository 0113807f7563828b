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

Directory open_directory(int parent, const char* name) {
  UniqueFd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  DIR* const directory = fd ? ::fdopendir(fd.get()) : nullptr;
  if (directory != nullptr) {
    fd.release();
  }
  return Directory(directory);
}

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
  std::vector<Directory> path;  // from the top to where we are: depth costs descriptors, not stack
  path.push_back(open_directory(directory, "."));
  struct stat top{};
  if (path.back() == nullptr || ::fstat(::dirfd(path.back().get()), &top) != 0) {
    return fail_errno("cannot read the served directory");
  }
  std::size_t removed = 0;
  while (!path.empty() && !stop.stop_requested()) {
    const int here = ::dirfd(path.back().get());
    const dirent* const entry = ::readdir(path.back().get());
    if (entry == nullptr) {
      path.pop_back();
      continue;
    }
    const std::string_view name(entry->d_name);
    const bool maybe_directory = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
    if (has_partial_shape(name)) {
      removed += remove_if_stale(here, entry->d_name, age) ? 1 : 0;
    } else if (name != "." && name != ".." && maybe_directory && same_device(here, entry->d_name, top.st_dev)) {
      // A directory that cannot be read holds nothing that we could have written.
      if (Directory below = open_directory(here, entry->d_name)) {
        path.push_back(std::move(below));
      }
    }
  }
  return removed;
}

}  // namespace waggle::store
