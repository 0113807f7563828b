// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/leftover.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/digest.hpp"
#include "harness/store/beneath.hpp"

namespace waggle::store {
namespace {

constexpr std::string_view kBegin = ".waggle-";
constexpr std::string_view kEnd = ".part";
constexpr std::size_t kDigits = 32;

bool is_ours(const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && status.st_nlink == 1;
}

/// Opens what is ours for reading and writing, though it have another mode already: its upload was broken off right
/// before it got its name. Not while somebody holds its lock, who would be about to do that, nor when that was done.
Result<UniqueFd> open_ours(int directory, const std::string& name, const Pinned& pinned) {
  const auto open = [&](int flags) {
    return reopen(pinned, name, flags,
                  [&](int again) { return UniqueFd(::openat(directory, name.c_str(), again | O_NOFOLLOW)); });
  };
  auto file = open(O_RDWR);
  if (file || file.error().system != EACCES) {
    return file;
  }
  auto half = open(O_RDONLY);
  if (!half) {
    half = open(O_WRONLY);
  }
  if (!half || ::flock(half->get(), LOCK_EX | LOCK_NB) != 0) {
    return half;  // what has a lock is found to have it once more
  }
  struct stat named{};
  if (::fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 || !same_file(named, pinned.status) ||
      !is_ours(named) || ::fchmod(half->get(), S_IRUSR | S_IWUSR) != 0) {
    return file;
  }
  half->reset();  // with its lock, which would be in the way of another one
  return open(O_RDWR);
}

/// Gives the file `from` the name `to` unless that is taken.
bool rename_to_new(int directory, const char* from, const char* to) {
  if (::renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0) {
    return true;
  }
  // Not every file system has the flag.
  return errno == EINVAL && ::linkat(directory, from, directory, to, 0) == 0 && ::unlinkat(directory, from, 0) == 0;
}

Result<std::vector<std::string>> names_in(int directory) {
  UniqueFd fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, int (*)(DIR*)> open(fd ? ::fdopendir(fd.get()) : nullptr, ::closedir);
  if (open == nullptr) {
    return fail_errno("cannot read the directory");
  }
  fd.release();
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(open.get())) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") {
      continue;
    }
    if (!is_partial_name(name)) {
      return fail(Fault::exists, "the directory is not empty");
    }
    names.emplace_back(name);
  }
  return names;
}

}  // namespace

std::string partial_name_of(std::string_view name) {
  const Digest digest = digest_of(DigestKind::xxh3_128, std::as_bytes(std::span(name)));
  return fmt::format("{}{}{}", kBegin, digest.hex(DigestKind::xxh3_128), kEnd);
}

std::string private_partial_name() {
  std::array<std::uint64_t, 2> random{};
  // It never fails for so few bytes once the system has started; O_EXCL decides, not chance.
  (void)::getrandom(random.data(), sizeof(random), 0);
  return fmt::format("{}{:016x}{:016x}{}", kBegin, random[0], random[1], kEnd);
}

bool has_partial_shape(std::string_view name) {
  return name.size() == kBegin.size() + kDigits + kEnd.size() && is_partial_name(name) &&
         std::ranges::all_of(name.substr(kBegin.size(), kDigits),
                             [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<Leftover> take_leftover(int directory, const std::string& name) {
  Leftover found;
  UniqueFd fd(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    return errno == ENOENT ? Result<Leftover>(std::move(found)) : fail_errno(fmt::format("cannot look at '{}'", name));
  }
  Pinned pinned{.fd = std::move(fd), .status = {}};
  if (::fstat(pinned.fd.get(), &pinned.status) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", name));
  }
  found.kind = pinned.status.st_nlink == 0 ? Leftover::Kind::gone : Leftover::Kind::foreign;
  if (!is_ours(pinned.status)) {
    return found;
  }
  auto file = open_ours(directory, name, pinned);
  if (!file) {
    return found;
  }
  if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
    found.kind = Leftover::Kind::busy;
    return errno == EWOULDBLOCK ? Result<Leftover>(std::move(found))
                                : fail_errno(fmt::format("cannot lock '{}'", name));
  }
  // Whoever had the lock before may have finished or removed it, and others could give it a second name until now.
  struct stat named{};
  if (::fstat(file->get(), &found.status) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", name));
  }
  if (::fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 || !same_file(named, found.status)) {
    found.kind = Leftover::Kind::gone;
  } else if (is_ours(found.status)) {
    found.kind = Leftover::Kind::ours;
    found.file = *std::move(file);
  }
  return found;
}

Result<> remove_leftover(int directory, const std::string& name, const Leftover& taken) {
  // Whoever of us takes a file's name away holds its lock, as we do now; only strangers could have swapped it. Under a
  // name that they do not know it is looked at once more.
  const std::string aside = private_partial_name();
  const bool moved = rename_to_new(directory, name.c_str(), aside.c_str());
  const std::string& at = moved ? aside : name;
  struct stat status{};
  if (::fstatat(directory, at.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", name));
  }
  if (!same_file(status, taken.status)) {
    if (moved) {
      rename_to_new(directory, aside.c_str(), name.c_str());
    }
    return fail(Fault::changed, fmt::format("another file was put in the place of '{}'", name), "try again");
  }
  if (::unlinkat(directory, at.c_str(), 0) != 0) {
    return fail_errno(fmt::format("cannot remove '{}'", name));
  }
  return {};
}

Result<> clear_leftovers(int directory) {
  WAGGLE_LET(names, names_in(directory));
  // First all are looked at: what cannot be removed as a whole stays whole.
  for (const bool remove : {false, true}) {
    for (const std::string& name : names) {
      Leftover found{.kind = Leftover::Kind::foreign, .file = {}, .status = {}};
      if (has_partial_shape(name)) {
        WAGGLE_LET(taken, take_leftover(directory, name));
        found = std::move(taken);
      }
      if (found.kind == Leftover::Kind::busy) {
        return fail(Fault::busy, "an upload into the directory is going on", "wait until that has ended");
      }
      if (found.kind == Leftover::Kind::foreign) {
        return fail(Fault::exists, fmt::format("the directory holds '{}', which no client sees", name),
                    "remove it on the server");
      }
      if (remove && found.kind == Leftover::Kind::ours) {
        WAGGLE_TRY(remove_leftover(directory, name, found));
      }
    }
  }
  return {};
}

}  // namespace waggle::store
