// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>

#include "datapaths/packet/transport/congestion.hpp"

namespace waggle::packet {

/// A window or a rate that never changes. For isolated links only: it does not heed losses.
class Fixed final : public CongestionControl {
 public:
  /// Exactly one is not 0: `window` in bytes, `rate` in bytes per second.
  Fixed(std::uint64_t window, std::uint64_t rate, std::uint32_t packet);

  void on_ack(const AckSample& sample) override { smoothed_ = sample.smoothed; }
  bool on_loss(Time /*now*/, Time /*newest_sent_at*/) override { return false; }
  void on_persistent_congestion() override {}
  void on_spurious_loss() override {}
  void on_packet_size(std::uint32_t bytes) override { packet_ = bytes; }
  /// With a rate: twice what it brings in a round trip, so that pacing limits, not the window.
  std::uint64_t window() const override;
  std::uint64_t pacing_rate(Time /*smoothed*/) const override { return rate_; }
  bool slow_start() const override { return false; }
  std::string describe() const override;  ///< "fixed window 4 MiB", "fixed rate 10 Gbit/s"

 private:
  static constexpr Time kLeastRoundTrip = 1'000'000;     // ns: ACKs come late when the receiver is busy
  static constexpr Time kUnknownRoundTrip = 10'000'000;  // ns: before the first sample

  std::uint64_t window_;
  std::uint64_t rate_;
  std::uint32_t packet_;
  Time smoothed_ = kUnknownRoundTrip;
};

}  // namespace waggle::packet
