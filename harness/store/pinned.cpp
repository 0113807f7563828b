// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/pinned.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>

namespace waggle::store {

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
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
    return fail(Fault::usage, fmt::format("'{}' is not a regular file", path), "name a file");
  }
  return reopen(pinned, path, flags, [&](int again) { return UniqueFd(::open(path.c_str(), again)); });
}

}  // namespace waggle::store
