// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "datapaths/packet/transport/sent_packets.hpp"
#include "datapaths/packet/transport/time.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {

/// Leaves a packet number out now and then, at places that nobody can guess: whoever acknowledges it acknowledges what
/// has not come, to make us send faster than the path allows (RFC 9000, 21.4).
class LeftOutNumbers {
 public:
  /// `seed`: nobody else may know it.
  explicit LeftOutNumbers(std::uint64_t seed) : seed_(seed) {}

  bool due(std::uint64_t next) const { return next >= at_; }
  /// Uses up the next number of `sent`, and draws where to do so again. The first call only draws.
  void leave_out(SentPackets& sent) {
    if (at_ != 0) {
      left_out_ = sent.skip();
    }
    // splitmix64 (Steele et al., 2014)
    std::uint64_t random = seed_ += 0x9E3779B97F4A7C15U;
    random = (random ^ random >> 30U) * 0xBF58476D1CE4E5B9U;
    random = (random ^ random >> 27U) * 0x94D049BB133111EBU;
    random ^= random >> 31U;
    at_ = sent.next() + 1 + random % within_;
    within_ = std::min(2 * within_, kMostWithin);
  }
  /// The peer is told that it may hold all numbers below for received.
  void tell(std::uint64_t below) { told_ = std::max(told_, below); }

  /// Whether an ACK speaks only of packets that were sent. A floor may be above a number that was left out once the
  /// peer was told to care no more for it.
  bool honest(const AckBlock& ack, std::uint64_t next) const {
    const bool says_something = ack.floor > 0 || ack.count > 0 || ack.largest > 0;
    if (ack.floor > next || (says_something && ack.largest >= next)) {
      return false;
    }
    if (left_out_ == kNone) {
      return true;
    }
    const auto holds = [this](const NumberRange& range) { return range.first <= left_out_ && left_out_ <= range.last; };
    return (ack.floor <= left_out_ || left_out_ < told_) &&
           std::none_of(ack.ranges.begin(), ack.ranges.begin() + ack.count, holds);
  }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  static constexpr std::uint64_t kMostWithin = 1U << 16U;  ///< numbers within which one is left out, at last

  std::uint64_t seed_;
  std::uint64_t told_ = 0;
  std::uint64_t left_out_ = kNone;  // the latest
  std::uint64_t at_ = 0;            // the next one
  std::uint64_t within_ = 256;
};

}  // namespace waggle::packet
