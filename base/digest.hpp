// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/progress.hpp"
#include "base/result.hpp"
#include "base/words.hpp"

namespace waggle {

/// How payload is verified end to end. XXH3-128 finds every accident at memory speed; SHA-256 also resists an
/// adversary.
enum class DigestKind : std::uint8_t { xxh3_128 = 1, sha256 = 2 };
constexpr auto words_of(DigestKind) {
  return std::to_array<Word<DigestKind>>(
      {{DigestKind::xxh3_128, "xxh3"}, {DigestKind::sha256, "sha256"}, {DigestKind::xxh3_128, "xxh3-128"}});
}

Result<DigestKind> parse_digest_kind(std::string_view name);
std::string_view name(DigestKind kind);

/// A digest value; unused tail bytes are zero (XXH3-128 fills 16, canonical big-endian order; SHA-256 all 32).
struct Digest {
  std::array<std::byte, 32> bytes{};
  bool operator==(const Digest&) const = default;
  std::string hex(DigestKind kind) const;
};

/// Number of bytes of `kind` that travel on the wire.
constexpr std::size_t digest_size(DigestKind kind) {
  return kind == DigestKind::xxh3_128 ? 16 : 32;
}

/// Extents are digested in fixed blocks counted from the extent's first byte; the last block may be short.
inline constexpr std::uint64_t kDigestBlock = std::uint64_t{256} * 1024;

/// Digest of one contiguous piece of memory, with the widest vectors that the CPU has (chosen once at run time).
Digest digest_of(DigestKind kind, ByteView bytes);

/// Chunked digest of an extent: the digest over the concatenated digests of its blocks (an empty extent has no block
/// and is the digest of zero bytes). Fixed blocks let a receiver verify while bytes arrive and a resumed transfer
/// re-check only what it has. Bytes are fed in order; memory does not grow with the extent unless blocks are kept.
/// The time spent hashing is added up, so that a record can say what verification cost.
class ExtentDigester {
 public:
  explicit ExtentDigester(DigestKind kind, bool keep_blocks = false);
  ~ExtentDigester();
  ExtentDigester(ExtentDigester&&) noexcept;
  ExtentDigester& operator=(ExtentDigester&&) noexcept;

  /// Adds the next bytes of the extent, in order.
  void update(ByteView bytes);
  /// The same for bytes that lie in several places: one look at the clock for all.
  void update(std::span<const ByteView> pieces);
  /// Adds the digest of the next whole block (or of the last, short one, of `length` bytes); only at a block boundary.
  void add_block(const Digest& block, std::uint64_t length);
  /// The digest over all that was fed. The digester must be reset() before it is fed again.
  Digest finish();
  /// From now on tells `progress` of all bytes fed; it must outlive the digester. nullptr ends that.
  void observe(Progress* progress);
  /// Becomes an empty digester like `other`: the same kind, the same observer, blocks kept or not. For extents that
  /// arrive at the same time while their owner has one digester: each is fed on its own, then adopt()ed in turn.
  void mirror(const ExtentDigester& other);
  /// Takes over what `mirrored` was fed and the time that took; this one must be empty. `mirrored` is empty afterwards.
  void adopt(ExtentDigester& mirrored);
  /// Starts over, keeping kind and buffers; the time spent so far is kept.
  void reset();

  DigestKind kind() const;
  std::uint64_t bytes() const;                ///< fed so far
  std::uint64_t nanoseconds() const;          ///< spent in update() and finish() since construction
  const std::vector<Digest>& blocks() const;  ///< finished blocks, when kept

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The instruction set that digest_of() uses for XXH3 on this CPU: "avx512", "avx2", "sse2", "neon" or "scalar".
std::string_view digest_vectors();

}  // namespace waggle
