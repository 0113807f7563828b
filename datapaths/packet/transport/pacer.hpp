// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "datapaths/packet/port.hpp"

namespace waggle::packet {

/// A token bucket (RFC 9002, 7.7). Credit grows with the rate up to a burst, so that a poller that comes late makes up
/// for it but a sender that was idle does not flood the link.
class Pacer {
 public:
  /// From now on `rate` bytes per second (0: unpaced) with bursts of at most `burst` bytes.
  void set(Time now, std::uint64_t rate, std::uint64_t burst) {
    refill(now);
    rate_ = rate;
    burst_ = burst;
    credit_ = std::min(credit_, static_cast<std::int64_t>(burst));
  }
  /// Whether anything may be sent now.
  bool allows(Time now) {
    refill(now);
    return rate_ == 0 || credit_ > 0;
  }
  /// Bytes have been sent. Credit may fall below zero by one burst.
  void spend(std::uint64_t bytes) {
    if (rate_ != 0) {
      credit_ -= static_cast<std::int64_t>(bytes);
    }
  }
  /// When allows() becomes true, given that it is false now.
  Time next(Time now) const {
    if (rate_ == 0 || credit_ > 0) {
      return now;
    }
    // Enough credit for a worthwhile burst, not for one byte.
    const auto wanted = static_cast<std::uint64_t>(-credit_) + burst_ / 4;
    return now + wanted * 1'000'000'000U / rate_ + 1;
  }
  std::uint64_t rate() const { return rate_; }

 private:
  void refill(Time now) {
    if (now <= last_) {
      return;
    }
    const Time elapsed = std::min<Time>(now - last_, 1'000'000'000U);
    last_ = now;
    if (rate_ != 0) {
      // In floating point: 100 Gbit/s times a second does not fit 64 bits.
      const auto earned = static_cast<std::int64_t>(static_cast<double>(rate_) * static_cast<double>(elapsed) * 1e-9);
      credit_ = std::min(credit_ + earned, static_cast<std::int64_t>(burst_));
    }
  }

  std::uint64_t rate_ = 0;   // bytes per second
  std::uint64_t burst_ = 0;  // bytes
  std::int64_t credit_ = 0;  // bytes
  Time last_ = 0;
};

}  // namespace waggle::packet
