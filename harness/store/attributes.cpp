// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/attributes.hpp"

#include <array>
#include <cstring>

#include "base/clock.hpp"
#include "base/digest.hpp"

namespace waggle::store {
namespace {

protocol::FileType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return protocol::FileType::regular;
    case S_IFDIR: return protocol::FileType::directory;
    case S_IFLNK: return protocol::FileType::symlink;
    default: return protocol::FileType::other;
  }
}

std::uint64_t version_of(const struct stat& status) {
  const std::array<std::uint64_t, 5> identity{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
                                              static_cast<std::uint64_t>(nanoseconds_of(status.st_mtim)),
                                              static_cast<std::uint64_t>(nanoseconds_of(status.st_ctim))};
  const Digest digest = digest_of(DigestKind::xxh3_128, std::as_bytes(std::span(identity)));
  std::uint64_t version = 0;
  std::memcpy(&version, digest.bytes.data(), sizeof(version));
  return version;
}

}  // namespace

protocol::Attributes attributes_of(const struct stat& status) {
  return {.type = type_of(status.st_mode),
          .mode = status.st_mode & 07777U,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified_ns = nanoseconds_of(status.st_mtim),
          .accessed_ns = nanoseconds_of(status.st_atim),
          .version = version_of(status)};
}

}  // namespace waggle::store
