// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/beneath.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <optional>

namespace waggle::store {
namespace {

/// The kernel wants a terminated string; most paths are short and come as views.
class Terminated {
 public:
  static std::optional<Terminated> of(std::string_view path) {
    if (path.size() >= PATH_MAX || path.find('\0') != std::string_view::npos) {
      return std::nullopt;
    }
    return Terminated(path.empty() ? std::string_view(".") : path);
  }
  const char* c_str() const { return text_.data(); }

 private:
  explicit Terminated(std::string_view path) {
    std::memcpy(text_.data(), path.data(), path.size());
    text_[path.size()] = '\0';
  }
  std::array<char, PATH_MAX> text_;
};

std::unexpected<Error> cannot_open(std::string_view path, int error) {
  switch (error) {
    case EXDEV: return fail(Fault::denied, fmt::format("'{}' leads out of the served directory", path));
    case ELOOP: return fail(Fault::denied, fmt::format("'{}' goes through a link that is not followed", path));
    case ENXIO: return fail(Fault::denied, fmt::format("'{}' is not a regular file", path));
    case EMFILE:
    case ENFILE: return fail(Fault::busy, fmt::format("no more descriptors to look at '{}'", path), "try again later");
    default: return fail_errno(fmt::format("cannot open '{}'", path), error);
  }
}

std::string_view last_component(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool names_a_partial(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (is_partial_name(path.substr(0, slash))) {
      return true;
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

}  // namespace

Result<std::string> read_link(int directory, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (length < 0) {
    return fail_errno(fmt::format("cannot read the link '{}'", name));
  }
  return std::string(target.data(), static_cast<std::size_t>(length));
}

bool is_partial_name(std::string_view name) {
  return name.starts_with(".waggle-") && name.ends_with(".part");
}

Result<UniqueFd> open_beneath(int root, std::string_view path, int flags) {
  const auto terminated = Terminated::of(path);
  if (!terminated) {
    return fail(Fault::usage, "the path is too long or contains a zero byte");
  }
  if (names_a_partial(path)) {
    return cannot_open(path, ENOENT);
  }
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOCTTY);
  if ((flags & O_PATH) != 0) {
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);  // O_PATH refuses flags that say how to open
  }
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed while ".." was resolved, and the kernel cannot vouch for the result (openat2(2)).
  for (int attempt = 0; attempt < 100; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, terminated->c_str(), &how, sizeof(how));
    if (fd >= 0) {
      return UniqueFd(static_cast<int>(fd));
    }
    if (errno != EAGAIN && errno != EINTR) {
      return cannot_open(path, errno);
    }
  }
  return fail(Fault::busy, fmt::format("'{}' is being renamed all the time", path), "try again");
}

Result<Pinned> pin_beneath(int root, std::string_view path) {
  WAGGLE_LET(fd, open_beneath(root, path, O_PATH));
  Pinned pinned{.fd = std::move(fd), .status = {}};
  if (::fstat(pinned.fd.get(), &pinned.status) != 0) {
    return fail_errno(fmt::format("cannot look at '{}'", path));
  }
  if (!S_ISREG(pinned.status.st_mode) && !S_ISDIR(pinned.status.st_mode)) {
    return fail(Fault::denied, fmt::format("'{}' is not a regular file", path));
  }
  return pinned;
}

Result<UniqueFd> reopen_beneath(int root, std::string_view path, const Pinned& pinned, int flags) {
  return reopen(pinned, path, flags, [&](int again) {
    auto opened = open_beneath(root, path, again);
    return opened ? *std::move(opened) : UniqueFd();
  });
}

Result<Place> place_beneath(int root, std::string_view path) {
  const std::string_view name = last_component(path);
  if (name.size() > NAME_MAX) {
    return fail(Fault::usage, fmt::format("'{}' has more than {} bytes", name, NAME_MAX));
  }
  if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string_view::npos ||
      is_partial_name(name)) {
    return fail(Fault::denied, fmt::format("'{}' does not name a file that may be changed", path));
  }
  Place place{.owned = {}, .directory = root, .name = std::string(name)};
  if (name.size() != path.size()) {
    const std::string_view parent = path.substr(0, path.size() - name.size());  // keeps its "/": "/x" stays absolute
    WAGGLE_LET(directory, open_beneath(root, parent, O_PATH | O_DIRECTORY));
    place.directory = directory.get();
    place.owned = std::move(directory);
  }
  return place;
}

Result<Place> file_place_beneath(int root, std::string_view path) {
  WAGGLE_LET(place, place_beneath(root, path));
  std::string at(path);
  for (int links = 0; links <= kMostLinks; ++links) {
    struct stat status{};
    if (::fstatat(place.directory, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return links == 0 ? Result<Place>(std::move(place))
                        : fail_errno(fmt::format("'{}' is a link that leads to '{}'", path, at));
    }
    if (S_ISREG(status.st_mode)) {
      return place;
    }
    if (!S_ISLNK(status.st_mode)) {
      return fail(Fault::exists, fmt::format("'{}' is {}", path, kind_name(status.st_mode)), "choose another name");
    }
    const auto target = read_link(place.directory, place.name);
    WAGGLE_TRY(target);
    at = (target->starts_with('/') ? "" : at.substr(0, at.size() - place.name.size())) + *target;
    WAGGLE_LET(next, place_beneath(root, at));  // an absolute one is refused there
    place = std::move(next);
  }
  return cannot_open(path, ELOOP);
}

}  // namespace waggle::store
