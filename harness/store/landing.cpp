// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/landing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace waggle::store {

Result<Landing> Landing::open(const std::filesystem::path& target, std::uint64_t size, std::uint32_t mode,
                              bool resume) {
  const std::string name = target.filename().native();
  const std::filesystem::path parent = target.has_parent_path() ? target.parent_path() : ".";
  if (name.empty() || name == "." || name == ".." || is_partial_name(name)) {
    return fail(Fault::usage, fmt::format("'{}' does not name a file", target.native()), "give the file a name");
  }
  UniqueFd directory(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    return fail_errno(fmt::format("cannot write into '{}'", parent.native()), errno, "create that directory first");
  }
  struct stat status{};
  if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode)) {
    return fail(Fault::exists, fmt::format("'{}' is a directory", target.native()), "choose another name");
  }
  const int fd = directory.get();
  WAGGLE_LET(partial, Partial::create({std::move(directory), fd, name}, size, mode & 0777U, resume));
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
    WAGGLE_LET(have, reader_.digest(file().get(), block.offset, block.length, kind));
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
