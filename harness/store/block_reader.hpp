// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/digest.hpp"
#include "base/result.hpp"

namespace waggle::store {

/// Digests pieces of files through one small buffer that stays in the cache. It reads and never maps: a file that
/// shrinks meanwhile is an error, not a SIGBUS.
class BlockReader {
 public:
  /// Digest of [offset, offset + length) of `file`, at most kDigestBlock bytes; Fault::changed when it ends before.
  Result<Digest> digest(int file, std::uint64_t offset, std::uint64_t length, DigestKind kind);
  /// The same for a file that may have holes: those are not read. Moves the descriptor's own offset.
  Result<Digest> digest_sparse(int file, std::uint64_t offset, std::uint64_t length, DigestKind kind);

 private:
  struct Zeros {
    std::uint64_t length = 0;
    DigestKind kind = DigestKind::xxh3_128;
    Digest digest;
  };

  std::unique_ptr<std::byte[]> buffer_;
  std::optional<Zeros> zeros_;  ///< the last one
};

/// Length of the block at `position` in an extent of `length` bytes: whole, or what is left.
constexpr std::uint64_t block_length(std::uint64_t position, std::uint64_t length) {
  return length - position < kDigestBlock ? length - position : kDigestBlock;
}

}  // namespace waggle::store
