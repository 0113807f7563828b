// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/content_watch.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>

#include "base/clock.hpp"
#include "harness/store/attributes.hpp"

namespace waggle::store {
namespace {

/// Whoever reads a file in order makes one run of any length, and memory per open file must be bounded.
constexpr std::size_t kMostRuns = 16;

/// By the time of change alone, which nobody sets: one of modification may lie in the future for ever.
bool changed_just_now(const FileStamp& stamp) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::abs(nanoseconds_of(now) - stamp.changed_ns) < kTickNs;
}

bool same_size_and_time(const FileStamp& one, const FileStamp& other) {
  return one.size == other.size && one.modified_ns == other.modified_ns;
}

Digest link_of(DigestKind kind, const Digest& chain, const Digest& root) {
  std::array<std::byte, 2 * sizeof(root.bytes)> both;
  const std::size_t width = digest_size(kind);
  std::copy_n(chain.bytes.begin(), width, both.begin());
  std::copy_n(root.bytes.begin(), width, both.begin() + static_cast<std::ptrdiff_t>(width));
  return digest_of(kind, ByteView(both).first(2 * width));
}

/// The root digest of an extent as it is in the file now.
Result<Digest> root_of(int file, std::uint64_t offset, std::uint64_t length, DigestKind kind, BlockReader& reader) {
  ExtentDigester digester(kind);
  for (std::uint64_t position = 0; position < length; position += kDigestBlock) {
    const std::uint64_t block = block_length(position, length);
    WAGGLE_LET(digest, reader.digest(file, offset + position, block, kind));
    digester.add_block(digest, block);
  }
  return digester.finish();
}

}  // namespace

ContentWatch::ContentWatch(const struct stat& status, std::uint64_t most_read_again)
    : read_again_left_(most_read_again) {
  start(status);
}

void ContentWatch::start(const struct stat& status) {
  const std::uint64_t before = version_;
  stamp_ = stamp_of(status);
  version_ = attributes_of(status).version;
  version_ += version_ == before ? 1 : 0;  // changed, though no time says so
  runs_.clear();
  too_many_ = false;
  young_ = changed_just_now(stamp_);
}

void ContentWatch::sent(std::uint64_t offset, std::uint64_t length, DigestKind kind, const Digest& root) {
  if (!runs_.empty()) {
    Run& run = runs_.back();
    if (run.kind == kind && run.end == offset && run.last == run.piece && length <= run.piece) {
      run.end += length;
      run.last = length;
      run.chain = link_of(kind, run.chain, root);
      return;
    }
  }
  if (runs_.size() == kMostRuns) {
    too_many_ = true;
    return;
  }
  runs_.push_back({offset, offset + length, length, length, kind, link_of(kind, {}, root)});
}

std::uint64_t ContentWatch::version(int file, const struct stat& now, BlockReader& reader) {
  const FileStamp stamp = stamp_of(now);
  const bool same_times = stamp == stamp_;
  if (same_times && !young_) {
    return version_;
  }
  // Asked for before anything is read: what changes while it is read shows the next time.
  const bool young = changed_just_now(stamp);
  // A young file is read again without counting: what was sent within one tick, and only until that has passed.
  if (!same_size_and_time(stamp, stamp_) || too_many_ || (!same_times && !may_read_again()) ||
      !still_there(file, reader)) {
    start(now);
    return version_;
  }
  stamp_ = stamp;
  young_ = young;
  return version_;
}

bool ContentWatch::may_read_again() {
  std::uint64_t sent = 0;
  for (const Run& run : runs_) {
    sent += run.end - run.begin;
  }
  if (sent > read_again_left_) {
    return false;
  }
  read_again_left_ -= sent;
  return true;
}

bool ContentWatch::still_there(int file, BlockReader& reader) const {
  return std::ranges::all_of(runs_, [&](const Run& run) { return still_there(file, run, reader); });
}

bool ContentWatch::still_there(int file, const Run& run, BlockReader& reader) {
  Digest chain;
  for (std::uint64_t offset = run.begin; offset < run.end; offset += run.piece) {
    const auto root = root_of(file, offset, std::min(run.piece, run.end - offset), run.kind, reader);
    if (!root) {
      return false;
    }
    chain = link_of(run.kind, chain, *root);
  }
  return chain == run.chain;
}

}  // namespace waggle::store
