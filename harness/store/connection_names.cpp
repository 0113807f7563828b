// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>

#include "harness/store/attributes.hpp"
#include "harness/store/beneath.hpp"
#include "harness/store/connection.hpp"
#include "harness/store/leftover.hpp"

namespace waggle::store {

using protocol::AttributeChange;
using protocol::Attributes;
using protocol::DirectoryPage;

namespace {

Result<> check_mode(std::string_view path, std::uint32_t mode) {
  if ((mode & ~01777U) != 0) {
    return fail(Fault::denied, fmt::format("mode {:o} of '{}' would lend rights of its owner or group", mode, path));
  }
  return {};
}

Result<> change_mode(const char* pinned, std::string_view path, std::uint32_t mode) {
  if (::chmod(pinned, mode) != 0) {
    return fail_errno(fmt::format("cannot set the mode of '{}'", path));
  }
  return {};
}

Result<> change_times(const char* pinned, std::string_view path, const AttributeChange& change) {
  const auto time = [](std::int64_t nanoseconds) {
    timespec result{.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
    if (result.tv_nsec < 0) {
      result.tv_sec -= 1;
      result.tv_nsec += 1'000'000'000;
    }
    return result;
  };
  const std::array times{time(change.accessed_ns), time(change.modified_ns)};
  if (::utimensat(AT_FDCWD, pinned, times.data(), 0) != 0) {
    return fail_errno(fmt::format("cannot set the times of '{}'", path));
  }
  return {};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

/// A directory from `cookie` on.
Result<Directory> open_directory(int root, std::string_view path, std::uint64_t cookie) {
  WAGGLE_LET(pinned, pin_beneath(root, path));
  // By "." and not by itself: to look at what is in a directory takes the right to search it.
  UniqueFd fd(::openat(pinned.fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd && errno == ENOTDIR) {
    return fail(Fault::usage, fmt::format("'{}' is not a directory", path), "use LOOKUP and READ");
  }
  if (!fd) {
    return fail_errno(fmt::format("cannot read the directory '{}'", path));
  }
  if (cookie != 0 && ::lseek(fd.get(), static_cast<off_t>(cookie), SEEK_SET) < 0) {
    return fail(Fault::usage, fmt::format("'{}' has no page that begins at {}", path, cookie), "begin at 0");
  }
  Directory directory(::fdopendir(fd.get()));
  if (directory == nullptr) {
    return fail_errno(fmt::format("cannot read the directory '{}'", path));
  }
  fd.release();
  return directory;
}

/// Nothing for what has vanished while it was listed. What exists and cannot be looked at, like another user's FUSE
/// file system, is of type `other`.
std::optional<Attributes> attributes_of_entry(DIR* directory, const dirent& entry) {
  struct stat status{};
  if (::fstatat(::dirfd(directory), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return attributes_of(status);
  }
  return errno == ENOENT ? std::optional<Attributes>() : Attributes{.type = protocol::FileType::other};
}

}  // namespace

Result<Attributes> Connection::attributes(std::string_view path) {
  WAGGLE_LET(fd, open_beneath(root(), path, O_PATH));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", path));
  }
  return attributes_of(status);
}

Result<Attributes> Connection::change(std::string_view path, const AttributeChange& change) {
  WAGGLE_TRY(check_mode(path, change.mode));  // before anything is changed: all of it or nothing
  WAGGLE_LET(pinned_file, pin_beneath(root(), path));
  const UniqueFd& fd = pinned_file.fd;
  // The descriptor is O_PATH, which fchmod refuses; its own magic link names exactly what was pinned (man 7 symlink).
  const std::string pinned = fmt::format("/proc/self/fd/{}", fd.get());
  if (change.set_owner && ::fchownat(fd.get(), "", change.uid, change.gid, AT_EMPTY_PATH) != 0) {
    return fail_errno(fmt::format("cannot set the owner of '{}'", path));
  }
  if (change.set_mode) {
    WAGGLE_TRY(change_mode(pinned.c_str(), path, change.mode));
  }
  if (change.set_times) {
    WAGGLE_TRY(change_times(pinned.c_str(), path, change));
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", path));
  }
  return attributes_of(status);
}

Result<> Connection::make_directory(std::string_view path, std::uint32_t mode) {
  WAGGLE_TRY(check_mode(path, mode));
  WAGGLE_LET(place, place_beneath(root(), path));
  if (::mkdirat(place.directory, place.name.c_str(), mode) != 0) {
    return fail_errno(fmt::format("cannot create the directory '{}'", path));
  }
  // The client's mode counts, not this process's umask. What it made may be a directory that it cannot read.
  const UniqueFd made(::openat(place.directory, place.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!made || ::fstat(made.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot set the mode of '{}'", path));
  }
  if ((status.st_mode & 01777U) == mode || ::chmod(fmt::format("/proc/self/fd/{}", made.get()).c_str(), mode) == 0) {
    return {};
  }
  if (errno == ENOENT) {  // where there is no /proc, what can be read must do
    const UniqueFd readable(::openat(made.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (readable && ::fchmod(readable.get(), mode) == 0) {
      return {};
    }
  }
  return fail_errno(fmt::format("cannot set the mode of '{}'", path));
}

Result<> Connection::remove(std::string_view path) {
  WAGGLE_LET(place, place_beneath(root(), path));
  if (::unlinkat(place.directory, place.name.c_str(), 0) == 0) {
    return {};
  }
  if (errno != EISDIR) {
    return fail_errno(fmt::format("cannot remove '{}'", path));
  }
  if (::unlinkat(place.directory, place.name.c_str(), AT_REMOVEDIR) == 0) {
    return {};
  }
  if (errno != ENOTEMPTY && errno != EEXIST) {
    return fail_errno(fmt::format("cannot remove '{}'", path));
  }
  // What a broken upload left is there and clients do not see it: to them the directory is empty.
  const UniqueFd directory(
      ::openat(place.directory, place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) {
    return fail_errno(fmt::format("cannot remove '{}'", path));
  }
  if (const auto cleared = clear_leftovers(directory.get()); !cleared) {
    Error error = cleared.error();
    error.what = fmt::format("cannot remove '{}': {}", path, error.what);
    return std::unexpected(std::move(error));
  }
  if (::unlinkat(place.directory, place.name.c_str(), AT_REMOVEDIR) != 0) {
    return fail_errno(fmt::format("cannot remove '{}'", path));
  }
  return {};
}

Result<> Connection::rename(std::string_view from, std::string_view to) {
  WAGGLE_LET(source, place_beneath(root(), from));
  WAGGLE_LET(target, place_beneath(root(), to));
  // What is neither file nor directory is not replaced. Most names are free, and one call does.
  const auto move = [&](unsigned flags) {
    return ::renameat2(source.directory, source.name.c_str(), target.directory, target.name.c_str(), flags) == 0;
  };
  if (move(RENAME_NOREPLACE)) {
    return {};
  }
  struct stat there{};
  if (::fstatat(target.directory, target.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(there.st_mode) &&
      !S_ISDIR(there.st_mode) && !S_ISLNK(there.st_mode)) {
    return fail(Fault::exists,
                fmt::format("cannot rename '{}' to '{}', which is {}", from, to, kind_name(there.st_mode)));
  }
  if (move(0)) {
    return {};
  }
  switch (errno) {
    case EISDIR: return fail(Fault::exists, fmt::format("cannot rename '{}' to '{}', which is a directory", from, to));
    case ENOTDIR:
      return fail(Fault::exists, fmt::format("cannot rename the directory '{}' to '{}', which is none", from, to));
    case EINVAL: return fail(Fault::usage, fmt::format("cannot move '{}' into itself, to '{}'", from, to));
    default: return fail_errno(fmt::format("cannot rename '{}' to '{}'", from, to));
  }
}

Result<> Connection::truncate(std::string_view path, std::uint64_t size) {
  WAGGLE_LET(pinned, pin_beneath(root(), path));
  WAGGLE_LET(fd, reopen_beneath(root(), path, pinned, O_WRONLY));
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return fail_errno(fmt::format("cannot give '{}' the size {}", path, size));
  }
  return {};
}

Result<DirectoryPage> Connection::list(std::string_view path, std::uint64_t cookie, std::size_t most_entries) {
  WAGGLE_LET(directory, open_directory(root(), path, cookie));
  DirectoryPage page;
  std::uint64_t here = cookie;
  errno = 0;
  while (const dirent* const entry = ::readdir(directory.get())) {
    if (page.entries.size() == most_entries) {
      page.next_cookie = here;
      return page;
    }
    here = static_cast<std::uint64_t>(entry->d_off);
    const std::string_view name(entry->d_name);
    if (name != "." && name != ".." && !is_partial_name(name)) {
      if (const auto attributes = attributes_of_entry(directory.get(), *entry)) {
        page.entries.push_back({.name = std::string(name), .attributes = *attributes});
      }
    }
    errno = 0;
  }
  return errno == 0 ? Result<DirectoryPage>(std::move(page))
                    : fail_errno(fmt::format("cannot read the directory '{}'", path));
}

}  // namespace waggle::store
