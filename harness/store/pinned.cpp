// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/pinned.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace waggle::store {

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

bool is_made_up(int file, const struct stat& status) {
  struct statfs system{};
  if (status.st_blocks != 0 || status.st_size == 0 || ::fstatfs(file, &system) != 0) {
    return false;
  }
  constexpr std::array<long, 8> kMagic{PROC_SUPER_MAGIC, SYSFS_MAGIC,        DEBUGFS_MAGIC,       TRACEFS_MAGIC,
                                       SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC};
  return std::ranges::any_of(kMagic, [&](long magic) { return static_cast<long>(system.f_type) == magic; });
}

std::string_view kind_name(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "a regular file";
    case S_IFDIR: return "a directory";
    case S_IFLNK: return "a symbolic link";
    case S_IFCHR: return "a character device";
    case S_IFBLK: return "a block device";
    case S_IFIFO: return "a FIFO";
    case S_IFSOCK: return "a socket";
    default: return "no regular file";
  }
}

Result<UniqueFd> reopen(const Pinned& pinned, std::string_view path, int flags,
                        const std::function<UniqueFd(int flags)>& by_name) {
  flags |= O_CLOEXEC | O_NOCTTY;
  std::array<char, 32> link{};
  fmt::format_to_n(link.data(), link.size() - 1, "/proc/self/fd/{}", pinned.fd.get());
  UniqueFd file(::open(link.data(), flags));
  if (file) {
    return file;
  }
  if (errno != ENOENT && errno != ENOTDIR) {
    return fail_errno(fmt::format("cannot open '{}'", path));
  }
  UniqueFd again = by_name(flags | O_NONBLOCK);
  struct stat status{};
  if (!again || ::fstat(again.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot open '{}'", path));
  }
  if (!same_file(status, pinned.status)) {
    return fail(Fault::changed, fmt::format("another file was put in the place of '{}'", path), "try again");
  }
  // Some file systems would make asynchronous reads fail instead of waiting for the disk.
  if (::fcntl(again.get(), F_SETFL, 0) != 0) {
    return fail_errno(fmt::format("cannot open '{}'", path));
  }
  return again;
}

Result<UniqueFd> open_regular(const std::string& path, int flags) {
  Pinned pinned{.fd = UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC)), .status = {}};
  if (!pinned.fd || ::fstat(pinned.fd.get(), &pinned.status) != 0) {
    return fail_errno(fmt::format("cannot read '{}'", path));
  }
  if (!S_ISREG(pinned.status.st_mode)) {
    const bool stream = S_ISFIFO(pinned.status.st_mode) || S_ISCHR(pinned.status.st_mode);
    return fail(Fault::usage, fmt::format("'{}' is {}, not a regular file", path, kind_name(pinned.status.st_mode)),
                stream ? "name - and redirect stdin from it" : "name a file");
  }
  return reopen(pinned, path, flags, [&](int again) { return UniqueFd(::open(path.c_str(), again)); });
}

}  // namespace waggle::store
