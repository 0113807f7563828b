// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "datapaths/packet/transport/congestion.hpp"

namespace waggle::packet {

/// HyStart++ (RFC 9406): leaves slow start when the round-trip time grows, before the queue overflows. A growing time
/// first leads to Conservative Slow Start; when it proves a jitter, slow start goes on. Sender is paced, so the limit L
/// on growth per ACK is infinite (section 4.3).
class HyStart {
 public:
  enum class Phase { slow_start, conservative, done };

  static constexpr Time kLeastThreshold = 4'000'000;  ///< ns, MIN_RTT_THRESH
  static constexpr Time kMostThreshold = 16'000'000;  ///< ns, MAX_RTT_THRESH
  static constexpr std::uint64_t kDivisor = 8;        ///< MIN_RTT_DIVISOR
  static constexpr std::uint32_t kSamples = 8;        ///< N_RTT_SAMPLE
  static constexpr std::uint64_t kGrowthDivisor = 4;  ///< CSS_GROWTH_DIVISOR
  static constexpr std::uint32_t kRounds = 5;         ///< CSS_ROUNDS

  /// Tells of an ACK in slow start; returns by how many bytes the window may grow.
  std::uint64_t on_ack(const AckSample& sample);
  Phase phase() const { return phase_; }  ///< `done` for good

 private:
  void end_round(std::uint64_t next);

  Phase phase_ = Phase::slow_start;
  std::uint64_t round_end_ = 0;  // packet number whose acknowledgement ends the round
  Time last_least_ = kNever;     // smallest RTT of the round before
  Time least_ = kNever;          // of this round
  std::uint32_t samples_ = 0;    // in this round
  Time baseline_ = kNever;       // smallest RTT of the round that led to Conservative Slow Start
  std::uint32_t rounds_ = 0;     // in Conservative Slow Start
};

}  // namespace waggle::packet
