// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>

#include "datapaths/packet/transport/message_stream.hpp"
#include "datapaths/packet/transport/outbound.hpp"
#include "datapaths/packet/transport/progress.hpp"
#include "datapaths/packet/transport/sent_packets.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {

/// What is to be sent: the sending end of the message stream and the extents that were offered, what of them was lost
/// and goes once more, the peer's limits, and whether it takes anything. Knows nothing of windows and timers; Recovery
/// tells it the fate of packets.
class Sending {
 public:
  static constexpr std::uint32_t kMostOutbound = 1024;  ///< extents of which not all is acknowledged

  MessageSender& messages() { return messages_; }
  const MessageSender& messages() const { return messages_; }
  bool wants_message() const { return messages_.wants(message_limit_); }
  std::optional<MessagePiece> take_message(std::uint32_t most) { return messages_.take(most, message_limit_); }

  /// Begins to send an extent, which the message stream must announce in the same order. Valid until it is over().
  Outbound& offer(const ExtentId& id, SharedFd file, ExtentDigester* digest);
  /// nullptr when it is over.
  Outbound* find(std::uint32_t sequence) {
    const std::uint32_t index = sequence - first_;
    return index < outbound_.size() ? &outbound_[index] : nullptr;
  }
  /// A peer that acknowledges all extents but the first is sent no more until it does.
  bool more() const { return (cursor_ != next_ && cursor_ - first_ < kMostOutbound) || lost_extents_ > 0; }
  bool has_lost() const { return lost_extents_ > 0; }
  /// The first extent with bytes to send again; there is one.
  Outbound& first_lost();

  /// Bytes that count as sent from now on.
  struct Piece {
    Outbound* extent = nullptr;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
  };
  /// Bytes that were never sent, at most `most`. Only if there is more() but nothing lost.
  Piece next_new(std::uint32_t most) {
    Outbound& extent = outbound_[cursor_ - first_];
    const auto [offset, length] = extent.take_new(most);
    if (extent.sent()) {
      pass_sent();
    }
    return {&extent, offset, length};
  }
  /// Bytes to send again, at most `most`. Only if has_lost().
  Piece next_lost(std::uint32_t most);

  // The fate of packets

  void on_acknowledged(const SentPacket& packet) {
    if (packet.kind == SentPacket::Kind::data) {
      Outbound* const extent = find(packet.extent);
      if (extent != nullptr) {
        extent->on_fate();
      }
      arrived(packet, extent);
    } else {
      arrived(packet, nullptr);
    }
  }
  void on_lost(const SentPacket& packet);
  /// It counted as lost, and has arrived after all.
  void on_found(const SentPacket& packet);
  /// Lets go of extents that are over. After a change of fates.
  void tidy();

  // The peer

  void set_limits(const Terms& terms) {
    packet_limit_ = terms.packet_limit;
    message_limit_ = terms.message_limit;
  }
  void raise_limits(const AckBlock& ack) {
    packet_limit_ = std::max(packet_limit_, ack.packet_limit);
    message_limit_ = std::max(message_limit_, ack.message_limit);
  }
  std::uint64_t packet_limit() const { return packet_limit_; }  ///< numbers below may be sent
  /// See ProgressWatch.
  void look_for_progress(Time now, Time patience) { progress_.look(now, owed(), patience); }
  Time stall_at() const { return progress_.at(); }

  std::size_t held() const { return outbound_.size(); }  ///< extents
  std::size_t lost_pieces() const;

 private:
  std::uint64_t owed() const;
  void pass_sent() {
    while (cursor_ != next_ && outbound_[cursor_ - first_].sent()) {
      ++cursor_;
    }
  }
  /// The peer has what the packet carried, be it sooner or later.
  void arrived(const SentPacket& packet, Outbound* extent) {
    if (packet.kind == SentPacket::Kind::message) {
      progress_.made(packet.length);
      messages_.on_acknowledged({packet.offset, packet.length});
    }
    if (packet.kind == SentPacket::Kind::data) {
      progress_.made(packet.length);
    }
    if (extent != nullptr) {
      extent->on_acknowledged(packet.length);
      if (extent->over() && extent != &outbound_.back()) {
        extent->close_file();  // though one before it is not over
      }
    }
  }

  MessageSender messages_;
  std::deque<Outbound> outbound_;
  std::uint32_t first_ = 0;  // sequence of outbound_.front()
  std::uint32_t next_ = 0;
  std::uint32_t cursor_ = 0;        // first extent with bytes that were never sent
  std::uint32_t lost_extents_ = 0;  // extents with bytes to send again
  std::uint32_t first_lost_ = 0;    // no extent before it has any
  std::uint64_t packet_limit_ = 0;  // the peer's
  std::uint64_t message_limit_ = 0;
  ProgressWatch progress_;
};

}  // namespace waggle::packet
