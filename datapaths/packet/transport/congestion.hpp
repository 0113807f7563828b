// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "datapaths/packet/transport/time.hpp"

namespace waggle::packet {

/// What one ACK that newly acknowledges something tells the congestion controller.
struct AckSample {
  Time now = 0;
  std::uint64_t bytes = 0;    ///< newly acknowledged
  std::uint64_t largest = 0;  ///< largest newly acknowledged packet number
  Time sent_at = 0;           ///< when that one was sent
  Time rtt = 0;               ///< latest sample in ns, 0: none
  Time smoothed = 0;          ///< ns
  Time least = 0;             ///< min_rtt in ns
  std::uint64_t next = 0;     ///< packet number that will be sent next: ends a round (RFC 9406)
  bool limited = false;       ///< the window was not what held the sender back: it must not grow (RFC 9002, 7.8)
};

/// How much may be under way. Called once per ACK or loss event, not per packet. Windows in bytes.
class CongestionControl {
 public:
  virtual ~CongestionControl() = default;
  virtual void on_ack(const AckSample& sample) = 0;
  /// Packets were declared lost; true when the window was cut for it. One cut per round trip: nothing happens when the
  /// newest lost packet was sent before the last cut (RFC 9002, 7.3.2).
  virtual bool on_loss(Time now, Time newest_sent_at) = 0;
  /// Everything lost over a long time (RFC 9002, 7.6).
  virtual void on_persistent_congestion() = 0;
  /// All losses behind the last cut proved spurious: the window from before comes back (RFC 4015 spirit).
  virtual void on_spurious_loss() = 0;
  /// Packets grew or shrank (path MTU); bytes.
  virtual void on_packet_size(std::uint32_t bytes) = 0;
  virtual std::uint64_t window() const = 0;
  /// Bytes per second that pacing must not exceed, given the smoothed RTT in ns; 0: unpaced.
  virtual std::uint64_t pacing_rate(Time smoothed) const = 0;
  /// In slow start, for counters and tests.
  virtual bool slow_start() const = 0;
  virtual std::string describe() const = 0;  ///< "cubic", "fixed window 4 MiB"
};

/// "cubic" (RFC 9438 with HyStart++, RFC 9406) or, for isolated links only, "fixed:4MiB" (a window) and "fixed:10Gbit"
/// (a rate); Fault::usage otherwise. `packet` is the largest packet in bytes.
Result<std::unique_ptr<CongestionControl>> make_congestion(std::string_view name, std::uint32_t packet);

}  // namespace waggle::packet
