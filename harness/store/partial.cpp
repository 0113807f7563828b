// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/partial.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <thread>
#include <utility>

#include "base/digest.hpp"
#include "base/units.hpp"
#include "harness/store/leftover.hpp"

namespace waggle::store {
namespace {

/// Of a file that is not whole: its owner's alone.
constexpr mode_t kUnfinishedMode = 0600;
/// Below this much, asking for the free space costs more than it saves.
constexpr std::uint64_t kAskForRoom = std::uint64_t{1024} * 1024;
/// Longer than anybody holds the lock of a file that is not written.
constexpr std::chrono::milliseconds kLook{5};

}  // namespace

Partial::Partial(Place place, std::string temporary, UniqueFd file)
    : place_(std::move(place)), temporary_(std::move(temporary)), file_(SharedFd(std::move(file))) {}

Partial::~Partial() {
  if (!file_ || committed_ || kept_) {
    return;
  }
  // Who removes a partial file holds its lock, as we do; but somebody else may have put another one there.
  struct stat mine{};
  struct stat named{};
  if (::fstat(file_.get(), &mine) == 0 &&
      ::fstatat(place_.directory, temporary_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && same_file(mine, named)) {
    ::unlinkat(place_.directory, temporary_.c_str(), 0);
  }
}

Result<Partial> Partial::create(Place place, std::uint64_t size, std::uint32_t mode, bool resume) {
  if ((mode & ~01777U) != 0) {
    return fail(Fault::denied, fmt::format("mode {:o} of '{}' has more than permission bits", mode, place.name));
  }
  std::string temporary = partial_name_of(place.name);
  // Between one step and the next another session can finish or remove the file that was found.
  bool patient = true;
  for (int attempt = 0; attempt < 100; ++attempt) {
    WAGGLE_LET(made, make(place, temporary));
    if (made) {
      Partial partial(std::move(place), std::move(temporary), std::move(made));
      WAGGLE_TRY(partial.prepare(size, mode, {}, resume || size > kDigestBlock));
      return partial;
    }
    WAGGLE_LET(left, take_leftover(place.directory, temporary));
    switch (left.kind) {
      case Leftover::Kind::gone: continue;
      case Leftover::Kind::foreign: temporary = private_partial_name(); continue;
      case Leftover::Kind::busy:
        // It may be our own, which somebody who clears the directory looked at before we could lock it.
        if (std::exchange(patient, false)) {
          std::this_thread::sleep_for(kLook);
          continue;
        }
        return fail(Fault::busy, fmt::format("'{}' is being written by somebody else", place.name),
                    "wait until that has ended");
      case Leftover::Kind::ours: break;
    }
    const bool fits = static_cast<std::uint64_t>(left.status.st_size) == size && size != 0;
    if (resume && fits && (left.status.st_mode & 07777U) == kUnfinishedMode) {
      Partial partial(std::move(place), std::move(temporary), std::move(left.file));
      partial.resumed_ = true;
      partial.kept_ = true;  // a resume that cannot even start must not lose what is there
      WAGGLE_TRY(partial.prepare(size, mode, left.status, false));
      partial.kept_ = false;
      return partial;
    }
    // Never emptied and written again: whoever had it open would have the new file open as well.
    WAGGLE_TRY(remove_leftover(place.directory, temporary, left));
  }
  return fail(Fault::busy, fmt::format("'{}' is being replaced all the time", place.name), "try again");
}

/// A new file, locked; nothing when the name is taken, or the file was swept before it could be locked.
Result<UniqueFd> Partial::make(const Place& place, const std::string& temporary) {
  UniqueFd file(::openat(place.directory, temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         kUnfinishedMode));
  if (!file) {
    return errno == EEXIST ? Result<UniqueFd>(UniqueFd()) : fail_errno(fmt::format("cannot create '{}'", place.name));
  }
  struct stat status{};
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? Result<UniqueFd>(UniqueFd())
                                : fail_errno(fmt::format("cannot lock '{}'", place.name));
  }
  if (::fstat(file.get(), &status) != 0 || status.st_nlink == 0) {
    return UniqueFd();
  }
  if ((status.st_mode & 07777U) != kUnfinishedMode && ::fchmod(file.get(), kUnfinishedMode) != 0) {
    return fail_errno(fmt::format("cannot set the mode of '{}'", place.name));
  }
  return file;
}

Result<> Partial::prepare(std::uint64_t size, std::uint32_t mode, const struct stat& left, bool sparse) {
  size_ = size;
  mode_ = mode;
  WAGGLE_TRY(check_room(static_cast<std::uint64_t>(left.st_blocks) * 512));
  // A file of one block is hardly worth resuming, and most files are small: leave out the call. keep() makes up for it.
  if (sparse && ::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) {
    return fail_errno(fmt::format("cannot give '{}' its size of {} bytes", place_.name, size));
  }
  return {};
}

bool Partial::keep() {
  kept_ = temporary_ == partial_name_of(place_.name) && ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0;
  return kept_;
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
  if (durable && ::fsync(file_.get()) != 0) {
    return fail_errno(fmt::format("cannot bring '{}' to disk", place_.name));
  }
  // As late as can be: with another mode it is no unfinished file that could be continued.
  const bool other_mode = (status.st_mode & 01777U) != mode_;
  if (other_mode && ::fchmod(file_.get(), mode_) != 0) {
    return fail_errno(fmt::format("cannot set the mode of '{}'", place_.name));
  }
  WAGGLE_TRY(publish());
  committed_ = true;
  WAGGLE_TRY(check_name());
  if (durable) {
    if (other_mode && ::fsync(file_.get()) != 0) {
      return fail_errno(fmt::format("cannot bring the mode of '{}' to disk", place_.name));
    }
    const UniqueFd directory(::openat(place_.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) {
      return fail_errno(fmt::format("cannot bring the directory of '{}' to disk", place_.name));
    }
  }
  return {};
}

/// Nothing but a file is replaced. Most names are free, and one call does.
Result<> Partial::publish() const {
  const auto rename = [this](unsigned flags) {
    return ::renameat2(place_.directory, temporary_.c_str(), place_.directory, place_.name.c_str(), flags) == 0;
  };
  if (rename(RENAME_NOREPLACE)) {
    return {};
  }
  struct stat there{};
  if (::fstatat(place_.directory, place_.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(there.st_mode)) {
    return fail(Fault::exists, fmt::format("'{}' is {}", place_.name, kind_name(there.st_mode)), "choose another name");
  }
  return rename(0) ? Result<>() : fail_errno(fmt::format("cannot name the finished file '{}'", place_.name));
}

/// What was renamed was named, not held: somebody who may write into the directory could have put another file there.
Result<> Partial::check_name() const {
  struct stat mine{};
  struct stat named{};
  if (::fstat(file_.get(), &mine) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", place_.name));
  }
  // A name that is gone, or leads to another file of ours, was given by a later session.
  if (::fstatat(place_.directory, place_.name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && !same_file(mine, named) &&
      (named.st_uid != mine.st_uid || !S_ISREG(named.st_mode))) {
    return fail(Fault::denied, fmt::format("somebody put another file in the place of '{}'", place_.name),
                "use a directory that nobody else may write into");
  }
  return {};
}

}  // namespace waggle::store
