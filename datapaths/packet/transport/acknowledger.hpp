// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/tally.hpp"
#include "datapaths/packet/transport/received_numbers.hpp"
#include "datapaths/packet/transport/time.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {

/// Which packets have come, and when the peer is told: when it asks, at once after a gap, every second packet at first
/// and every 256th later, in any case within kDelay (RFC 9000, 13.2; docs/transport.md). Also knows which limits the
/// peer was told with the last ACK.
class Acknowledger {
 public:
  static constexpr Time kDelay = 1'000'000;  ///< ns that an ACK may wait

  /// `window`: packets that may wait at our port.
  explicit Acknowledger(std::uint32_t window) : window_(window) {}

  bool seen(std::uint64_t number) const { return received_.seen(number); }
  /// A packet came that is new and counts as received. `elicits`: the peer wants to hear of it.
  void receive(Time now, const Header& header, bool elicits) {
    if (header.number >= received_.next()) {
      largest_at_ = now;
    }
    const bool late = header.number + 1 < received_.next();
    received_.add(header.number);
    received_.forget_below(header.number - header.lag);
    // ACKs use up numbers, too, and nothing acknowledges them: the peer must hear of its limit before it is reached.
    if (received_.next() + window_ >= told_packets_ + window_ / 2) {
      now_ = true;
    }
    if (!elicits) {
      return;
    }
    ++unacknowledged_;
    const std::uint32_t most = header.number < kEagerNumbers ? kEager : kPatient;
    if ((header.flags & kSolicits) != 0 || unacknowledged_ >= most || late || received_.gap()) {
      now_ = true;
    } else if (at_ == kNever) {
      at_ = now + kDelay;
    }
  }
  /// The next turn brings an ACK.
  void hurry() { now_ = true; }
  /// The same, and there must be a turn for it.
  void call(Time now) {
    now_ = true;
    at_ = now;
  }

  bool due(Time now) const { return now_ || at_ <= now; }
  /// When due() calls for a turn that nothing else causes.
  Time at() const { return at_; }
  /// There is something to say that could go along with other bytes.
  bool pending() const { return unacknowledged_ > 0 || now_; }

  /// What an ACK says now. `message_limit`: see AckBlock.
  AckBlock block(Time now, std::uint64_t message_limit) const {
    AckBlock ack = received_.describe();
    ack.packet_limit = received_.next() + window_;
    ack.message_limit = message_limit;
    ack.delay = static_cast<std::uint32_t>(std::min<Time>((now - std::min(now, largest_at_)) / 1000, UINT32_MAX));
    return ack;
  }
  /// block() is on its way.
  void sent(std::uint64_t message_limit) {
    ++acks_sent_;
    unacknowledged_ = 0;
    now_ = false;
    at_ = kNever;
    told(message_limit);
  }
  /// The peer knows the limits.
  void told(std::uint64_t message_limit) {
    told_messages_ = message_limit;
    told_packets_ = received_.next() + window_;
  }
  std::uint64_t told_messages() const { return told_messages_; }

  const ReceivedNumbers& received() const { return received_; }
  const Tally& acks_sent() const { return acks_sent_; }

 private:
  /// Packets that ask for an ACK before one is sent unasked: few while the sender's window may be small.
  static constexpr std::uint64_t kEagerNumbers = 64;
  static constexpr std::uint32_t kEager = 2;
  static constexpr std::uint32_t kPatient = 256;

  const std::uint32_t window_;
  ReceivedNumbers received_;
  Time largest_at_ = 0;
  std::uint32_t unacknowledged_ = 0;
  bool now_ = false;
  Time at_ = kNever;
  std::uint64_t told_messages_ = 0;  // message limit that the peer knows
  std::uint64_t told_packets_ = 0;   // packet limit that it knows
  Tally acks_sent_;
};

}  // namespace waggle::packet
