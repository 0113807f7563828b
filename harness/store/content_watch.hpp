// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <vector>

#include "base/digest.hpp"
#include "harness/store/block_reader.hpp"
#include "harness/store/digest_cache.hpp"
#include "protocol/file_service.hpp"

namespace waggle::store {

/// Whether an open file still has the content that it had. Size and time of modification tell most of it; the time of
/// change moves for a new name or mode as well, and is the only one to tell of content that was changed with its time
/// of modification set back. So when that one alone has moved, what was sent is read again and its digests compared
/// (docs/decisions/0011-what-counts-as-changed.md).
class ContentWatch {
 public:
  ContentWatch() = default;
  /// From what fstat says of the file when it is opened. When `most_read_again` bytes in all would not be enough to
  /// compare what was sent, the time of change alone counts as a change.
  explicit ContentWatch(const struct stat& status, std::uint64_t most_read_again = protocol::kMostReadAgain);

  /// These bytes were sent, with this root digest.
  void sent(std::uint64_t offset, std::uint64_t length, DigestKind kind, const Digest& root);
  /// Takes what fstat says now, reading from `file` where that does not decide. Returns the version of the content: the
  /// same as before unless it may have changed.
  std::uint64_t version(int file, const struct stat& now, BlockReader& reader);

 private:
  /// Neighbouring extents of one length, the last of which may be shorter.
  struct Run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t piece = 0;  ///< bytes of each extent
    std::uint64_t last = 0;   ///< bytes of the last one
    DigestKind kind = DigestKind::xxh3_128;
    Digest chain;  ///< over the root digests, one after the other
  };

  void start(const struct stat& status);
  bool may_read_again();
  bool still_there(int file, BlockReader& reader) const;
  static bool still_there(int file, const Run& run, BlockReader& reader);

  FileStamp stamp_;
  std::uint64_t version_ = 0;
  std::vector<Run> runs_;
  std::uint64_t read_again_left_ = 0;
  bool too_many_ = false;  ///< runs: nothing can be proven any more
  bool young_ = false;     ///< changed so shortly before that another change may leave the same times
};

}  // namespace waggle::store
