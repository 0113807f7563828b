// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/digest_cache.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "base/clock.hpp"

namespace waggle::store {
namespace {

/// What an entry costs besides its digests: list and hash nodes, allocator overhead.
constexpr std::size_t kEntryBytes = 176;

bool is_known(std::span<const std::byte> digest) {
  return std::ranges::any_of(digest, [](std::byte byte) { return byte != std::byte{0}; });
}

bool stamped_just_now(const FileStamp& stamp) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds_of(now) - std::max(stamp.modified_ns, stamp.changed_ns) < kTickNs;
}

}  // namespace

FileStamp stamp_of(const struct stat& status) {
  return {.size = static_cast<std::uint64_t>(status.st_size),
          .modified_ns = nanoseconds_of(status.st_mtim),
          .changed_ns = nanoseconds_of(status.st_ctim)};
}

std::size_t DigestCache::Hash::operator()(const FileKey& file) const {
  // Inode numbers are dense; a multiplication spreads them.
  return (file.inode ^ (file.device << 32U)) * 0x9E3779B97F4A7C15U + static_cast<std::size_t>(file.kind);
}

DigestCache::Entry* DigestCache::find(const FileKey& file, const FileStamp& stamp) {
  const auto found = index_.find(file);
  if (found == index_.end()) {
    return nullptr;
  }
  if (found->second->stamp != stamp) {
    erase(file);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return &*found->second;
}

void DigestCache::erase(const FileKey& file) {
  if (const auto found = index_.find(file); found != index_.end()) {
    bytes_ -= kEntryBytes + found->second->digests.size();
    entries_.erase(found->second);
    index_.erase(found);
  }
}

bool DigestCache::being_written(dev_t device, ino_t inode) const {
  return writers_.contains({device, inode, DigestKind::xxh3_128});
}

std::vector<std::optional<Digest>> DigestCache::blocks(const FileKey& file, const FileStamp& stamp, std::size_t first,
                                                       std::size_t count) {
  std::vector<std::optional<Digest>> result(count);
  const std::lock_guard lock(mutex_);
  const Entry* const entry = find(file, stamp);
  if (entry == nullptr) {
    return result;
  }
  const std::size_t width = digest_size(file.kind);
  for (std::size_t i = 0; i < count && (first + i + 1) * width <= entry->digests.size(); ++i) {
    const auto stored = std::span(entry->digests).subspan((first + i) * width, width);
    if (is_known(stored)) {
      std::ranges::copy(stored, result[i].emplace().bytes.begin());
    }
  }
  return result;
}

std::optional<Digest> DigestCache::root(const FileKey& file, const FileStamp& stamp, std::size_t first,
                                        std::size_t count) {
  const std::lock_guard lock(mutex_);
  const Entry* const entry = find(file, stamp);
  const std::size_t width = digest_size(file.kind);
  if (entry == nullptr || (first + count) * width > entry->digests.size()) {
    return std::nullopt;
  }
  const auto stored = std::span(entry->digests).subspan(first * width, count * width);
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_known(stored.subspan(i * width, width))) {
      return std::nullopt;
    }
  }
  return digest_of(file.kind, stored);
}

void DigestCache::insert(const FileKey& file, const FileStamp& stamp, std::size_t first,
                         std::span<const Digest> blocks) {
  const std::size_t width = digest_size(file.kind);
  const std::size_t all = (stamp.size + kDigestBlock - 1) / kDigestBlock * width;
  if (blocks.empty() || (first + blocks.size()) * width > all || kEntryBytes + all > most_bytes_ ||
      stamped_just_now(stamp)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (being_written(file.device, file.inode)) {
    return;
  }
  Entry* entry = find(file, stamp);
  if (entry == nullptr) {
    entries_.push_front({file, stamp, std::vector<std::byte>(all)});
    index_.emplace(file, entries_.begin());
    bytes_ += kEntryBytes + all;
    entry = &entries_.front();
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    std::memcpy(entry->digests.data() + (first + i) * width, blocks[i].bytes.data(), width);
  }
  while (bytes_ > most_bytes_) {
    erase(FileKey(entries_.back().file));
  }
}

void DigestCache::begin_writing(dev_t device, ino_t inode) {
  const std::lock_guard lock(mutex_);
  ++writers_[{device, inode, DigestKind::xxh3_128}];
  erase({device, inode, DigestKind::xxh3_128});
  erase({device, inode, DigestKind::sha256});
}

void DigestCache::end_writing(dev_t device, ino_t inode) {
  const std::lock_guard lock(mutex_);
  const auto found = writers_.find({device, inode, DigestKind::xxh3_128});
  if (found != writers_.end() && --found->second == 0) {
    writers_.erase(found);
  }
}

std::size_t DigestCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace waggle::store
