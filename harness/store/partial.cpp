// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/partial.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <utility>

#include "base/digest.hpp"
#include "base/units.hpp"

namespace waggle::store {
namespace {

std::string partial_name(const std::string& name) {
  const Digest digest = digest_of(DigestKind::xxh3_128, std::as_bytes(std::span(name)));
  return fmt::format(".waggle-{}.part", digest.hex(DigestKind::xxh3_128));
}

/// Below this much, asking for the free space costs more than it saves.
constexpr std::uint64_t kAskForRoom = std::uint64_t{1024} * 1024;

}  // namespace

Partial::Partial(Place place, std::string temporary, UniqueFd file)
    : place_(std::move(place)), temporary_(std::move(temporary)), file_(SharedFd(std::move(file))) {}

Partial::~Partial() {
  if (file_ && !committed_ && !kept_) {
    ::unlinkat(place_.directory, temporary_.c_str(), 0);
  }
}

Result<Partial> Partial::create(Place place, std::uint64_t size, std::uint32_t mode, bool resume) {
  if ((mode & ~0777U) != 0) {
    return fail(Fault::denied, fmt::format("mode {:o} of '{}' has more than permission bits", mode, place.name));
  }
  const std::string temporary = partial_name(place.name);
  // Between open and lock another session can finish or remove the file; then what we hold is no longer ours to write.
  for (int attempt = 0; attempt < 100; ++attempt) {
    UniqueFd file(::openat(place.directory, temporary.c_str(),
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode | 0600U));
    if (!file) {
      return fail_errno(fmt::format("cannot create '{}'", place.name));
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      return errno == EWOULDBLOCK ? fail(Fault::busy, fmt::format("'{}' is being written by somebody else", place.name),
                                         "wait until that has ended")
                                  : fail_errno(fmt::format("cannot lock '{}'", place.name));
    }
    Partial partial(std::move(place), temporary, std::move(file));
    partial.kept_ = true;  // not ours to remove before it is known to be the right one
    WAGGLE_LET(status, partial.status_if_named());
    if (status) {
      WAGGLE_TRY(partial.prepare(*status, size, mode, resume));
      return partial;
    }
    place = std::move(partial.place_);
  }
  return fail(Fault::busy, fmt::format("'{}' is being replaced all the time", place.name), "try again");
}

/// Nothing when another file, or none, has the temporary name by now.
Result<std::optional<struct stat>> Partial::status_if_named() const {
  struct stat mine{};
  struct stat named{};
  if (::fstat(file_.get(), &mine) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", place_.name));
  }
  if (!S_ISREG(mine.st_mode)) {
    return fail(Fault::denied, fmt::format("'{}' is in the way and no regular file", temporary_), "remove it");
  }
  if (::fstatat(place_.directory, temporary_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
      named.st_ino != mine.st_ino || named.st_dev != mine.st_dev) {
    return std::nullopt;
  }
  return mine;
}

Result<> Partial::prepare(const struct stat& status, std::uint64_t size, std::uint32_t mode, bool resume) {
  size_ = size;
  mode_ = mode;
  const bool same = static_cast<std::uint64_t>(status.st_size) == size && (status.st_mode & 0777U) == (mode | 0600U);
  resumed_ = resume && same && size != 0;
  kept_ = resumed_;  // a resume that cannot even start must not lose what is there
  WAGGLE_TRY(check_room(resumed_ ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0));
  if (!resumed_ && status.st_size != 0 && ::ftruncate(file_.get(), 0) != 0) {
    return fail_errno(fmt::format("cannot empty '{}'", temporary_));
  }
  if ((status.st_mode & 0777U) != (mode | 0600U) && ::fchmod(file_.get(), mode | 0600U) != 0) {
    return fail_errno(fmt::format("cannot set the mode of '{}'", place_.name));
  }
  // A file of one block is hardly worth resuming, and most files are small: leave out the call.
  const bool sparse = resume || size > kDigestBlock;
  if (!resumed_ && sparse && ::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) {
    return fail_errno(fmt::format("cannot give '{}' its size of {} bytes", place_.name, size));
  }
  kept_ = false;
  return {};
}

Result<> Partial::check_room(std::uint64_t already) const {
  struct statvfs room{};
  if (size_ < kAskForRoom || ::fstatvfs(file_.get(), &room) != 0 || room.f_blocks == 0) {
    return {};
  }
  const std::uint64_t there = room.f_bfree * room.f_frsize + already;
  if (size_ > there) {
    return fail(
        Fault::no_space,
        fmt::format("'{}' needs {}, but only {} are free", place_.name, format_bytes(size_), format_bytes(there)),
        "free some space there");
  }
  return {};
}

Result<> Partial::commit(bool durable) {
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", place_.name));
  }
  if (static_cast<std::uint64_t>(status.st_size) != size_) {
    return fail(Fault::corrupt, fmt::format("'{}' has {} of {} bytes", place_.name, status.st_size, size_));
  }
  if ((status.st_mode & 0777U) != mode_ && ::fchmod(file_.get(), mode_) != 0) {
    return fail_errno(fmt::format("cannot set the mode of '{}'", place_.name));
  }
  if (durable && ::fsync(file_.get()) != 0) {
    return fail_errno(fmt::format("cannot bring '{}' to disk", place_.name));
  }
  if (::renameat(place_.directory, temporary_.c_str(), place_.directory, place_.name.c_str()) != 0) {
    return errno == EISDIR ? fail(Fault::exists, fmt::format("'{}' is a directory", place_.name), "choose another name")
                           : fail_errno(fmt::format("cannot name the finished file '{}'", place_.name));
  }
  committed_ = true;
  if (durable) {
    const UniqueFd directory(::openat(place_.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) {
      return fail_errno(fmt::format("cannot bring the directory of '{}' to disk", place_.name));
    }
  }
  return {};
}

}  // namespace waggle::store
