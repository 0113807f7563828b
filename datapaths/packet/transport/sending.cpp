// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/sending.hpp"

#include <atomic>
#include <utility>

namespace waggle::packet {

Outbound& Sending::offer(const ExtentId& id, SharedFd file, ExtentDigester* digest) {
  static std::atomic<std::uint64_t> serials{0};
  Outbound& extent = outbound_.emplace_back(id, next_++, ++serials, std::move(file), digest);
  tidy();
  return extent;
}

void Sending::tidy() {
  pass_sent();
  // The latest stays where it is: its offerer may still look at it.
  while (outbound_.size() > 1 && outbound_.front().over()) {
    outbound_.pop_front();
    ++first_;
  }
  if (outbound_.size() == 1 && outbound_.front().over()) {
    outbound_.front().close_file();
  }
}

Outbound& Sending::first_lost() {
  first_lost_ = before(first_lost_, first_) ? first_ : first_lost_;
  while (!find(first_lost_)->has_lost()) {
    ++first_lost_;
  }
  return *find(first_lost_);
}

Sending::Piece Sending::next_lost(std::uint32_t most) {
  Outbound& extent = first_lost();
  const auto [offset, length] = extent.take_lost(most);
  lost_extents_ -= extent.has_lost() ? 0 : 1;
  return {&extent, offset, length};
}

void Sending::on_lost(const SentPacket& packet) {
  if (packet.kind == SentPacket::Kind::message) {
    messages_.on_lost({packet.offset, packet.length});
  } else if (Outbound* extent = packet.kind == SentPacket::Kind::data ? find(packet.extent) : nullptr) {
    lost_extents_ += extent->has_lost() ? 0 : 1;
    extent->on_lost(packet.offset, packet.length);
    first_lost_ = before(packet.extent, first_lost_) ? packet.extent : first_lost_;
    extent->on_fate();
  }
}

void Sending::on_found(const SentPacket& packet) {
  Outbound* const extent = packet.kind == SentPacket::Kind::data ? find(packet.extent) : nullptr;
  if (extent != nullptr && extent->has_lost()) {
    extent->on_found(packet.offset, packet.length);
    lost_extents_ -= extent->has_lost() ? 0 : 1;
  }
  arrived(packet, extent);
}

/// Bytes that the peer has yet to take, or some of them.
std::uint64_t Sending::owed() const {
  std::uint64_t bytes = messages_.written() - messages_.acknowledged();
  if (!outbound_.empty() && !outbound_.front().over()) {
    bytes += std::max<std::uint64_t>(1, outbound_.front().owed());
  }
  return bytes;
}

std::size_t Sending::lost_pieces() const {
  std::size_t pieces = 0;
  for (const Outbound& extent : outbound_) {
    pieces += extent.lost_pieces();
  }
  return pieces;
}

}  // namespace waggle::packet
