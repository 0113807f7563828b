// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "datapaths/packet/transport/time.hpp"

namespace waggle::packet {

/// What must be known of a sent packet until nobody asks for it any more.
struct SentPacket {
  /// none: its fate is of no concern
  enum class State : std::uint8_t { none, under_way, acknowledged, lost };
  enum class Kind : std::uint8_t { control, data, message, probe };
  State state = State::none;
  Kind kind = Kind::control;
  std::uint16_t size = 0;   ///< bytes of the packet; of an MTU probe what it takes of the window
  std::uint32_t round = 0;  ///< lost: in which round of loss detection
  /// Bytes of payload, of the message stream or of an MTU probe; acknowledged: so many from here on are, too.
  std::uint32_t length = 0;
  std::uint32_t extent = 0;  ///< DATA: which extent
  Time sent_at = 0;
  std::uint64_t offset = 0;  ///< into the extent, or into the message stream
};

/// Sent packets by number: a ring over [oldest, next) that grows by doubling up to `limit`, both powers of two.
class SentPackets {
 public:
  SentPackets(std::size_t most, std::size_t limit) : most_(most), limit_(limit), ring_(64) {}

  std::uint64_t oldest() const { return oldest_; }
  std::uint64_t next() const { return next_; }
  /// No more that must be acknowledged.
  bool full() const { return next_ - oldest_ >= most_; }
  /// Nothing more at all, but for a few goodbyes.
  bool exhausted() const { return next_ - oldest_ >= limit_ - 8; }

  SentPacket& operator[](std::uint64_t number) { return ring_[number & (ring_.size() - 1)]; }
  const SentPacket& operator[](std::uint64_t number) const { return ring_[number & (ring_.size() - 1)]; }

  /// The record of the next number, to be filled in.
  SentPacket& add() {
    if (next_ - oldest_ == ring_.size()) {
      grow();
    }
    SentPacket& packet = (*this)[next_++];
    packet = SentPacket{};
    return packet;
  }

  /// Uses up a number of which nothing need be known.
  std::uint64_t skip() {
    const std::uint64_t number = next_;
    add();
    advance(0);
    return number;
  }

  /// Forgets the oldest packets but those under way and lost ones that were sent at `before` or later.
  void advance(Time before) {
    while (oldest_ < next_) {
      const SentPacket& packet = (*this)[oldest_];
      const bool open = packet.state == SentPacket::State::under_way ||
                        (packet.state == SentPacket::State::lost && packet.sent_at >= before);
      if (open) {
        break;
      }
      ++oldest_;
    }
  }

 private:
  void grow() {
    std::vector<SentPacket> larger(2 * ring_.size());
    for (std::uint64_t number = oldest_; number < next_; ++number) {
      larger[number & (larger.size() - 1)] = (*this)[number];
    }
    ring_ = std::move(larger);
  }

  std::size_t most_;
  std::size_t limit_;
  std::vector<SentPacket> ring_;
  std::uint64_t oldest_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace waggle::packet
