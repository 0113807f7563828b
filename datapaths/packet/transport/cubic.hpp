// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>

#include "datapaths/packet/transport/congestion.hpp"
#include "datapaths/packet/transport/hystart.hpp"

namespace waggle::packet {

/// CUBIC (RFC 9438) with HyStart++ (RFC 9406). After a cut the window follows W(t) = C (t - K)^3 + W_max, where t is
/// the time since the cut in seconds and windows are in packets, but never less than what Reno would reach.
class Cubic final : public CongestionControl {
 public:
  static constexpr double kC = 0.4;
  static constexpr double kBeta = 0.7;
  static constexpr std::uint64_t kInitialPackets = 10;  ///< RFC 6928
  static constexpr std::uint64_t kLeastPackets = 2;     ///< RFC 9002, 7.2

  explicit Cubic(std::uint32_t packet);

  void on_ack(const AckSample& sample) override;
  bool on_loss(Time now, Time newest_sent_at) override;
  void on_persistent_congestion() override;
  void on_spurious_loss() override;
  void on_packet_size(std::uint32_t bytes) override;
  std::uint64_t window() const override { return static_cast<std::uint64_t>(state_.window); }
  std::uint64_t pacing_rate(Time smoothed) const override;
  bool slow_start() const override { return state_.window < state_.threshold; }
  std::string describe() const override { return "cubic"; }

 private:
  /// All that a cut changes, so that it can be undone. Windows in bytes, times in ns.
  struct State {
    double window = 0;
    double threshold = 0;   // of slow start
    double most = 0;        // W_max: where the curve has its plateau
    double prior = 0;       // window just before the last cut: beyond it, Reno grows by a whole packet per round
    double reno = 0;        // W_est
    double plateau = 0;     // K, in seconds
    Time epoch = kNever;    // when the present curve began; kNever: with the next ACK
    bool recovers = false;  // what was sent up to `cut_at` is of no account
    Time cut_at = 0;
    HyStart hystart;
  };

  void grow(const AckSample& sample);
  void begin_epoch(Time now);
  double least() const { return static_cast<double>(kLeastPackets * packet_); }

  std::uint64_t packet_;
  State state_;
  State before_;  // the last cut
  bool can_undo_ = false;
  Time last_ack_ = 0;
};

}  // namespace waggle::packet
