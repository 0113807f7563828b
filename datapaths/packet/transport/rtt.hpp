// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "datapaths/packet/transport/time.hpp"

namespace waggle::packet {

/// Round-trip time as RFC 9002, section 5 estimates it. All in ns.
class RttEstimator {
 public:
  static constexpr Time kInitial = 100'000'000;  ///< before the first sample; RFC 9002 says 333 ms, hosts here are near
  static constexpr Time kGranularity = 1'000'000;  ///< of timers (RFC 9002, 6.1.2)

  /// `delay` is what the receiver says it waited with its ACK, already capped to its maximum.
  void sample(Time latest, Time delay) {
    latest_ = latest;
    if (!sampled_) {
      sampled_ = true;
      least_ = smoothed_ = latest;
      variation_ = latest / 2;
      return;
    }
    least_ = std::min(least_, latest);
    const Time adjusted = latest >= least_ + delay ? latest - delay : latest;
    const Time away = smoothed_ > adjusted ? smoothed_ - adjusted : adjusted - smoothed_;
    variation_ = (3 * variation_ + away) / 4;
    smoothed_ = (7 * smoothed_ + adjusted) / 8;
  }

  /// After persistent congestion the path may be another one (RFC 9002, 5.2).
  void restart_least() { least_ = latest_; }

  Time latest() const { return latest_; }
  Time smoothed() const { return smoothed_; }
  Time least() const { return least_; }
  Time variation() const { return variation_; }
  /// Probe timeout without backoff (RFC 9002, 6.2.1), given the peer's maximum ACK delay.
  Time pto(Time ack_delay) const { return smoothed_ + std::max(4 * variation_, kGranularity) + ack_delay; }
  /// How long after a later packet's acknowledgement an earlier one counts as lost (RFC 9002, 6.1.2).
  Time loss_delay() const { return std::max(std::max(latest_, smoothed_) * 9 / 8, kGranularity); }

 private:
  bool sampled_ = false;
  Time latest_ = 0;
  Time smoothed_ = kInitial;
  Time least_ = 0;
  Time variation_ = kInitial / 2;
};

}  // namespace waggle::packet
