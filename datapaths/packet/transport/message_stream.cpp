// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/message_stream.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace waggle::packet {
namespace {

/// What a ring of a sender begins with, in bytes.
constexpr std::size_t kFirstRing = 512;

}  // namespace

void MessageRing::put(std::uint64_t offset, ByteView bytes) {
  const std::size_t at = offset & (size_ - 1);
  const std::size_t first = std::min<std::size_t>(bytes.size(), size_ - at);
  std::memcpy(bytes_.get() + at, bytes.data(), first);
  std::memcpy(bytes_.get(), bytes.data() + first, bytes.size() - first);
}

void MessageRing::get(std::uint64_t offset, ByteSpan to) const {
  const std::size_t at = offset & (size_ - 1);
  const std::size_t first = std::min<std::size_t>(to.size(), size_ - at);
  std::memcpy(to.data(), bytes_.get() + at, first);
  std::memcpy(to.data() + first, bytes_.get(), to.size() - first);
}

ByteView MessageRing::in_one_piece(std::uint64_t offset, std::size_t length) const {
  const std::size_t at = offset & (size_ - 1);
  return at + length <= size_ ? ByteView(bytes_.get() + at, length) : ByteView();
}

void MessageRing::grow(std::size_t size, std::uint64_t from) {
  MessageRing larger;
  larger.bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
  larger.size_ = size;
  if (size_ > 0) {
    // All that the old one may hold, in the order of the stream.
    const std::size_t at = from & (size_ - 1);
    larger.put(from, {bytes_.get() + at, size_ - at});
    larger.put(from + (size_ - at), {bytes_.get(), at});
  }
  *this = std::move(larger);
}

void MessageSender::write(ByteView bytes) {
  if (bytes.empty()) {
    return;
  }
  const std::uint64_t held = written_ - base_ + bytes.size();
  if (held > ring_.size()) {
    ring_.grow(std::max<std::size_t>(kFirstRing, std::bit_ceil(held)), base_);
  }
  ring_.put(written_, bytes);
  written_ += bytes.size();
}

std::optional<MessagePiece> MessageSender::take(std::uint32_t most, std::uint64_t limit) {
  if (!lost_.empty()) {
    const auto range = lost_.ranges().front();
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(range.end - range.begin, most));
    lost_.drop_below(range.begin + length);
    return MessagePiece{range.begin, length};
  }
  const std::uint64_t end = std::min(written_, limit);
  if (next_ >= end || acknowledged_.size() >= kMostPieces) {
    return {};
  }
  const MessagePiece piece{next_, static_cast<std::uint32_t>(std::min<std::uint64_t>(end - next_, most))};
  next_ += piece.length;
  return piece;
}

void MessageSender::copy(MessagePiece piece, std::byte* to) const {
  ring_.get(piece.offset, {to, piece.length});
}

void MessageSender::on_acknowledged(MessagePiece piece) {
  const std::uint64_t end = piece.offset + piece.length;
  if (end <= base_) {
    return;
  }
  if (piece.offset <= base_ && acknowledged_.empty()) {
    base_ = end;
  } else {
    acknowledged_.add(std::max(piece.offset, base_), end);
    base_ = acknowledged_.contiguous_from(base_);
    acknowledged_.drop_below(base_);
  }
  lost_.drop_below(base_);
}

void MessageSender::on_lost(MessagePiece piece) {
  // What a copy of the piece already brought need not be sent again, as far as that is easy to see.
  lost_.add(std::max(piece.offset, base_), std::max(piece.offset + piece.length, base_));
}

bool MessageReceiver::insert(std::uint64_t offset, ByteView bytes) {
  const std::uint64_t end = offset + bytes.size();
  if (end < offset || end > limit()) {
    return false;
  }
  if (end <= ready_ || bytes.empty()) {
    return true;
  }
  if (offset > ready_ && ahead_.size() >= kMostPieces && !ahead_.touches(offset, end)) {
    return false;
  }
  if (offset < ready_) {
    // The front was received, and its place may hold newer bytes.
    bytes = bytes.subspan(ready_ - offset);
    offset = ready_;
  }
  if (ring_.size() == 0) {
    ring_.grow(window_, read_);
  }
  ring_.put(offset, bytes);
  if (offset == ready_ && ahead_.empty()) {
    ready_ = end;
    return true;
  }
  ahead_.add(offset, end);
  ready_ = ahead_.contiguous_from(ready_);
  ahead_.drop_below(ready_);
  return true;
}

ByteView MessageReceiver::view(std::uint64_t skip, std::size_t length) {
  if (const ByteView whole = ring_.in_one_piece(read_ + skip, length); whole.size() == length) {
    return whole;
  }
  joined_.resize(length);
  ring_.get(read_ + skip, joined_);
  return joined_;
}

void MessageReceiver::widen() {
  if (window_ < kMessageWindow) {
    window_ = kMessageWindow;
    if (ring_.size() > 0) {
      ring_.grow(window_, read_);
    }
  }
}

void MessageReceiver::consume(std::uint64_t length) {
  read_ += length;
}

}  // namespace waggle::packet
