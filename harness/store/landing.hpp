// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "harness/store/block_reader.hpp"
#include "harness/store/partial.hpp"

namespace waggle::store {

/// There is a directory, or a link to one that may be followed, see Landing::open().
bool is_directory_to_fill(const std::filesystem::path& path);

/// A file that a client fetches: under a temporary name beside its own (see Partial) until all of it has been verified.
/// What a broken transfer left can be continued: its blocks are compared with the server's digests, and only those that
/// differ are fetched again.
class Landing {
 public:
  /// `size` and `mode` (permission bits) are the served file's. `resume`: continue what an earlier Landing kept.
  /// A link is followed, as by cp(1): what it leads to is replaced, and the link stays; those of other users are not
  /// (Fault::denied). Fault::not_found when the directory does not exist or a link leads nowhere, Fault::exists when
  /// `target` is a directory itself, Fault::usage when it is a device, a FIFO, a socket or an open file of /proc.
  static Result<Landing> open(const std::filesystem::path& target, std::uint64_t size, std::uint32_t mode, bool resume);

  /// Open for reading and writing; bytes go to their own offsets.
  const SharedFd& file() const { return partial_.file(); }
  /// There are bytes of an earlier transfer, worth comparing by missing().
  bool resumed() const { return partial_.resumed(); }

  struct Gap {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool operator==(const Gap&) const = default;
  };
  /// What of [offset, offset + length) is not yet as the server's block digests want it; neighbours are joined.
  Result<std::vector<Gap>> missing(std::uint64_t offset, std::uint64_t length, std::span<const Digest> blocks,
                                   DigestKind kind);

  /// All bytes of a small file at once.
  Result<> write(ByteView content);
  /// Gives the verified file its name; `durable`: not before it is on disk.
  Result<> commit(bool durable) { return partial_.commit(durable); }
  /// Leaves the bytes for a later resume; false when something else has the name that they would be found by.
  bool keep() { return partial_.keep(); }

 private:
  explicit Landing(Partial partial) : partial_(std::move(partial)) {}
  Partial partial_;
  BlockReader reader_;
};

}  // namespace waggle::store
