// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/digest.hpp"

namespace waggle::store {

/// Which file, whatever its name.
struct FileKey {
  dev_t device = 0;
  ino_t inode = 0;
  DigestKind kind = DigestKind::xxh3_128;
  bool operator==(const FileKey&) const = default;
};

/// Which content of it: differs whenever the content may differ.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

FileStamp stamp_of(const struct stat& status);

/// Kernels without fine-grained time stamps advance them once per tick, at worst every 10 ms: a second change within
/// the same tick would be invisible.
inline constexpr std::int64_t kTickNs = 20'000'000;

/// Digests of the blocks of files (kDigestBlock bytes each, counted from the file's first byte; the last may be
/// short), by identity and version. Bounded: the files that were asked for longest ago are forgotten first.
/// Thread-safe.
class DigestCache {
 public:
  explicit DigestCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Blocks [first, first + count) where they are known; nothing when the file is not, or has another stamp.
  std::vector<std::optional<Digest>> blocks(const FileKey& file, const FileStamp& stamp, std::size_t first,
                                            std::size_t count);
  /// The digest over the digests of these blocks, when all are known.
  std::optional<Digest> root(const FileKey& file, const FileStamp& stamp, std::size_t first, std::size_t count);
  /// Remembers blocks from `first` on. Ignored while somebody writes the file in place, and when it was changed so
  /// recently that its time stamps could hide another change.
  void insert(const FileKey& file, const FileStamp& stamp, std::size_t first, std::span<const Digest> blocks);

  /// Between these two calls nothing is remembered of the file: bytes written through a mapping do not always change
  /// its time stamps at once.
  void begin_writing(dev_t device, ino_t inode);
  void end_writing(dev_t device, ino_t inode);

  std::size_t bytes() const;

 private:
  struct Entry {
    FileKey file;
    FileStamp stamp;
    std::vector<std::byte> digests;  ///< one after the other; all zero: not known
  };
  struct Hash {
    std::size_t operator()(const FileKey& file) const;
  };
  using Entries = std::list<Entry>;

  Entry* find(const FileKey& file, const FileStamp& stamp);
  void erase(const FileKey& file);
  bool being_written(dev_t device, ino_t inode) const;

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  Entries entries_;  ///< most recently used first
  std::unordered_map<FileKey, Entries::iterator, Hash> index_;
  std::unordered_map<FileKey, std::size_t, Hash> writers_;
};

}  // namespace waggle::store
