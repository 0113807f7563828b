// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/hystart.hpp"

#include <algorithm>

namespace waggle::packet {

std::uint64_t HyStart::on_ack(const AckSample& sample) {
  if (phase_ == Phase::done) {
    return 0;
  }
  if (sample.rtt != 0) {
    least_ = std::min(least_, sample.rtt);
    ++samples_;
  }
  if (phase_ == Phase::slow_start) {
    if (samples_ >= kSamples && least_ != kNever && last_least_ != kNever) {
      const Time threshold = std::clamp(last_least_ / kDivisor, kLeastThreshold, kMostThreshold);
      if (least_ >= last_least_ + threshold) {
        baseline_ = least_;
        phase_ = Phase::conservative;
        rounds_ = 0;
      }
    }
  } else if (samples_ >= kSamples && least_ < baseline_) {
    baseline_ = kNever;
    phase_ = Phase::slow_start;
  }
  const std::uint64_t growth = phase_ == Phase::conservative ? sample.bytes / kGrowthDivisor : sample.bytes;
  if (sample.largest >= round_end_) {
    end_round(sample.next);
  }
  return growth;
}

void HyStart::end_round(std::uint64_t next) {
  round_end_ = next;
  last_least_ = least_;
  least_ = kNever;
  samples_ = 0;
  if (phase_ == Phase::conservative && ++rounds_ >= kRounds) {
    phase_ = Phase::done;
  }
}

}  // namespace waggle::packet
