// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/landing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace waggle::store {

namespace {

/// Who may lead us with a link: this user and root. In a directory for everybody, like /tmp, anyone else could make a
/// download replace any file of ours.
bool may_lead(const struct stat& link) {
  return link.st_uid == ::geteuid() || link.st_uid == 0;
}

/// Links of /proc stand for open files (/dev/stdout, /dev/fd/N), not for names.
bool stands_for_open_file(const Place& place) {
  const UniqueFd link(::openat(place.directory, place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct statfs system{};
  return link && ::fstatfs(link.get(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

/// The place that `path` names, links in its last component not followed.
Result<Place> place_here(const std::filesystem::path& path) {
  const std::string name = path.filename().native();
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  if (name.empty() || name == "." || name == ".." || is_partial_name(name)) {
    return fail(Fault::usage, fmt::format("'{}' does not name a file", path.native()), "give the file a name");
  }
  UniqueFd directory(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    return fail_errno(fmt::format("cannot write into '{}'", parent.native()), errno, "create that directory first");
  }
  const int fd = directory.get();
  return Place{.owned = std::move(directory), .directory = fd, .name = name};
}

/// Where the file is, or is to be, that `target` names or leads to.
Result<Place> find_place(const std::filesystem::path& target) {
  std::filesystem::path at = target;
  for (int links = 0; links <= kMostLinks; ++links) {
    WAGGLE_LET(place, place_here(at));
    struct stat status{};
    if (::fstatat(place.directory, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return links == 0 ? Result<Place>(std::move(place))
                        : fail_errno(fmt::format("'{}' is a link that leads to '{}'", target.native(), at.native()),
                                     errno, "remove the link or create what it leads to");
    }
    if (S_ISREG(status.st_mode)) {
      return place;
    }
    if (S_ISDIR(status.st_mode)) {
      return fail(Fault::exists, fmt::format("'{}' is a directory", target.native()), "choose another name");
    }
    const bool link = S_ISLNK(status.st_mode);
    if (!link || stands_for_open_file(place)) {
      return fail(Fault::usage,
                  fmt::format("'{}' is {}, which a file would replace", target.native(),
                              link ? "an open file" : kind_name(status.st_mode)),
                  "name - to write to stdout, and redirect that");
    }
    if (!may_lead(status)) {
      return fail(Fault::denied, fmt::format("'{}' is another user's link, which is not followed", at.native()),
                  "name the file that it leads to");
    }
    WAGGLE_LET(next, read_link(place.directory, place.name));
    at = at.parent_path() / next;  // an absolute one counts alone
  }
  return fail_errno(fmt::format("cannot write '{}'", target.native()), ELOOP);
}

}  // namespace

bool is_directory_to_fill(const std::filesystem::path& path) {
  struct stat itself{};
  struct stat led_to{};
  const std::string name = (path / "").parent_path().native();  // behind a "/" a link would be followed
  return ::lstat(name.c_str(), &itself) == 0 && (!S_ISLNK(itself.st_mode) || may_lead(itself)) &&
         ::stat(name.c_str(), &led_to) == 0 && S_ISDIR(led_to.st_mode);
}

Result<Landing> Landing::open(const std::filesystem::path& target, std::uint64_t size, std::uint32_t mode,
                              bool resume) {
  WAGGLE_LET(place, find_place(target));
  WAGGLE_LET(partial, Partial::create(std::move(place), size, mode & 0777U, resume));
  return Landing(std::move(partial));
}

Result<std::vector<Landing::Gap>> Landing::missing(std::uint64_t offset, std::uint64_t length,
                                                   std::span<const Digest> blocks, DigestKind kind) {
  if (blocks.size() != (length + kDigestBlock - 1) / kDigestBlock) {
    return fail(Fault::protocol, "the server sent digests for another length");
  }
  std::vector<Gap> gaps;
  std::size_t index = 0;
  for (std::uint64_t position = 0; position < length; position += kDigestBlock, ++index) {
    const Gap block{offset + position, block_length(position, length)};
    WAGGLE_LET(have, reader_.digest_sparse(file().get(), block.offset, block.length, kind));
    if (have == blocks[index]) {
      continue;
    }
    if (!gaps.empty() && gaps.back().offset + gaps.back().length == block.offset) {
      gaps.back().length += block.length;
    } else {
      gaps.push_back(block);
    }
  }
  return gaps;
}

Result<> Landing::write(ByteView content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t wrote =
        ::pwrite(file().get(), content.data() + done, content.size() - done, static_cast<off_t>(done));
    if (wrote < 0 && errno != EINTR) {
      return fail_errno("cannot write the file", errno, errno == ENOSPC ? "free some space there" : "");
    }
    done += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
  }
  return {};
}

}  // namespace waggle::store
