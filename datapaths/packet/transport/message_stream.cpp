// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/message_stream.hpp"

#include <algorithm>
#include <cstring>

namespace waggle::packet {
namespace {

void copy_in(std::byte* ring, std::uint64_t offset, ByteView bytes) {
  const std::size_t at = offset % kMessageWindow;
  const std::size_t first = std::min<std::size_t>(bytes.size(), kMessageWindow - at);
  std::memcpy(ring + at, bytes.data(), first);
  std::memcpy(ring, bytes.data() + first, bytes.size() - first);
}

void copy_out(const std::byte* ring, std::uint64_t offset, std::byte* to, std::size_t length) {
  const std::size_t at = offset % kMessageWindow;
  const std::size_t first = std::min<std::size_t>(length, kMessageWindow - at);
  std::memcpy(to, ring + at, first);
  std::memcpy(to + first, ring, length - first);
}

void need(std::unique_ptr<std::byte[]>& ring) {
  if (!ring) {
    ring = std::make_unique_for_overwrite<std::byte[]>(kMessageWindow);
  }
}

}  // namespace

void MessageSender::write(ByteView bytes) {
  need(ring_);
  copy_in(ring_.get(), written_, bytes);
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
  if (next_ >= end) {
    return {};
  }
  const MessagePiece piece{next_, static_cast<std::uint32_t>(std::min<std::uint64_t>(end - next_, most))};
  next_ += piece.length;
  return piece;
}

void MessageSender::copy(MessagePiece piece, std::byte* to) const {
  copy_out(ring_.get(), piece.offset, to, piece.length);
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
  if (offset < ready_) {
    // The front was received, and its place may hold newer bytes.
    bytes = bytes.subspan(ready_ - offset);
    offset = ready_;
  }
  need(ring_);
  copy_in(ring_.get(), offset, bytes);
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
  const std::size_t at = (read_ + skip) % kMessageWindow;
  if (at + length <= kMessageWindow) {
    return {ring_.get() + at, length};
  }
  joined_.resize(length);
  copy_out(ring_.get(), read_ + skip, joined_.data(), length);
  return joined_;
}

void MessageReceiver::consume(std::uint64_t length) {
  read_ += length;
}

}  // namespace waggle::packet
