// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "datapaths/packet/transport/time.hpp"

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
    credit_ = std::min(credit_, static_cast<double>(burst));
  }
  /// Whether anything may be sent now.
  bool allows(Time now) {
    refill(now);
    return rate_ == 0 || credit_ > 0;
  }
  /// Bytes have been sent. Credit may fall below zero by one burst.
  void spend(std::uint64_t bytes) {
    if (rate_ != 0) {
      credit_ -= static_cast<double>(bytes);
    }
  }
  /// When allows() becomes true, given that it is false now.
  Time next(Time now) const {
    if (rate_ == 0 || credit_ > 0) {
      return now;
    }
    // Enough credit for a worthwhile burst, not for one byte; but where that takes long, smooth is better than few.
    const double wanted = std::min(static_cast<double>(burst_) / 4, static_cast<double>(rate_) * 1e-3) - credit_;
    return now + static_cast<Time>(wanted * 1e9 / static_cast<double>(rate_)) + 1;
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
      // In floating point: fractions of a byte add up, since a busy poller comes every few nanoseconds.
      credit_ += static_cast<double>(rate_) * static_cast<double>(elapsed) * 1e-9;
      credit_ = std::min(credit_, static_cast<double>(burst_));
    }
  }

  std::uint64_t rate_ = 0;   // bytes per second
  std::uint64_t burst_ = 0;  // bytes
  double credit_ = 0;        // bytes
  Time last_ = 0;
};

}  // namespace waggle::packet
