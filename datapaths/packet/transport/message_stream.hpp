// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "datapaths/packet/transport/range_set.hpp"

namespace waggle::packet {

/// Bytes of the message stream that may be under way in one direction: more than the longest message.
inline constexpr std::uint64_t kMessageWindow = 512 * 1024;

/// A piece of the message stream, in bytes from its beginning.
struct MessagePiece {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};

/// The bytes of a stream from some offset on, as many as it is large: a power of two. Its memory is touched only as far
/// as it was ever filled.
class MessageRing {
 public:
  std::size_t size() const { return size_; }
  void put(std::uint64_t offset, ByteView bytes);
  void get(std::uint64_t offset, ByteSpan to) const;
  /// Nothing when it wraps around.
  ByteView in_one_piece(std::uint64_t offset, std::size_t length) const;
  /// Becomes larger; `from` is the lowest offset that it holds.
  void grow(std::size_t size, std::uint64_t from);

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
};

/// The sending end of the ordered byte stream that carries messages. Keeps bytes until they are acknowledged, in
/// no more memory than that takes.
class MessageSender {
 public:
  /// Pieces that may be acknowledged with others missing between them before new ones wait.
  static constexpr std::size_t kMostPieces = 1024;

  std::uint64_t room() const { return kMessageWindow - (written_ - base_); }
  /// Appends bytes that fit.
  void write(ByteView bytes);
  /// The next piece to send, lost ones first, at most `most` bytes and below the peer's `limit`. Counts as sent.
  std::optional<MessagePiece> take(std::uint32_t most, std::uint64_t limit);
  bool wants(std::uint64_t limit) const {
    return !lost_.empty() || (next_ < written_ && next_ < limit && acknowledged_.size() < kMostPieces);
  }
  void copy(MessagePiece piece, std::byte* to) const;
  void on_acknowledged(MessagePiece piece);
  void on_lost(MessagePiece piece);
  bool all_sent() const { return next_ == written_ && lost_.empty(); }
  bool all_acknowledged() const { return base_ == written_; }
  std::uint64_t written() const { return written_; }
  std::uint64_t acknowledged() const { return base_; }  ///< bytes, from the beginning, without a gap
  std::size_t pieces() const { return std::max(acknowledged_.size(), lost_.size()); }

 private:
  MessageRing ring_;
  std::uint64_t written_ = 0;
  std::uint64_t next_ = 0;  // first byte never sent
  std::uint64_t base_ = 0;  // first byte not acknowledged
  RangeSet acknowledged_;   // above base_
  RangeSet lost_;
};

/// The receiving end: puts pieces in order.
class MessageReceiver {
 public:
  static constexpr std::size_t kMostPieces = 1024;  ///< out of order, apart from each other

  /// `window`: bytes that may come before they are consumed, a power of two.
  explicit MessageReceiver(std::uint64_t window = kMessageWindow) : window_(window) {}
  /// From now on the window is kMessageWindow.
  void widen();
  /// False when the piece does not fit below limit(), or there are too many already: it must come again.
  bool insert(std::uint64_t offset, ByteView bytes);
  /// Bytes in order that have not been consumed.
  std::uint64_t available() const { return ready_ - read_; }
  /// `length` of them (<= available()) from `skip` on, in one piece; valid until the next call of any kind but const.
  ByteView view(std::uint64_t skip, std::size_t length);
  void consume(std::uint64_t length);
  /// The peer may send bytes below this.
  std::uint64_t limit() const { return read_ + window_; }
  std::uint64_t window() const { return window_; }
  std::uint64_t read() const { return read_; }
  std::size_t pieces() const { return ahead_.size(); }

 private:
  std::uint64_t window_;
  MessageRing ring_;
  std::vector<std::byte> joined_;  // a view that wraps around
  RangeSet ahead_;                 // above ready_
  std::uint64_t ready_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace waggle::packet
