// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "base/bytes.hpp"
#include "base/tally.hpp"
#include "datapaths/packet/port.hpp"

namespace waggle::packet {

/// What one direction of a link does to packets. Probabilities from 0 to 1, each for itself.
struct Impairments {
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;          ///< a packet comes late by up to `delay` + 100 µs, behind others
  double corrupt = 0;          ///< one bit is flipped
  double truncate = 0;         ///< the end is cut off
  Time delay = 0;              ///< ns, one way
  Time jitter = 0;             ///< ns, evenly distributed on top of the delay; reorders what is closer together
  std::uint64_t rate = 0;      ///< bit/s, 0: unlimited
  std::uint64_t queue = 0;     ///< bytes that wait for the rate before packets are dropped; 0: unlimited
  std::uint32_t largest = 0;   ///< bytes of the largest packet that passes, 0: any
  std::uint32_t overhead = 0;  ///< bytes that every packet takes on the wire besides its own
  /// Nothing passes in [from, until).
  struct Interval {
    Time from = 0;
    Time until = kNever;
  };
  std::vector<Interval> black_holes = {};
};

/// One direction of a link whose misfortunes follow from a seed: the same packets at the same times meet the same fate.
/// Knows only time and lengths; whoever uses it keeps the packets until they arrive.
class VirtualLink {
 public:
  VirtualLink(Impairments impairments, std::uint64_t seed) : impairments_(std::move(impairments)), random_(seed) {}

  /// One copy of a packet that comes out at the other end.
  struct Copy {
    Time at = 0;
    std::uint32_t length = 0;  ///< bytes, fewer than were sent when it was truncated
    bool corrupted = false;
    std::uint32_t flipped = 0;  ///< which bit, when corrupted
  };
  struct Fate {
    std::array<Copy, 2> copies;
    std::size_t count = 0;  ///< 0: it is lost
  };
  /// Sends a packet of `length` bytes at `now`, which never goes back.
  Fate carry(Time now, std::uint32_t length);
  /// Does to the bytes of a packet what its fate says.
  static void damage(ByteSpan packet, const Copy& copy);

  Impairments& impairments() { return impairments_; }
  const Impairments& impairments() const { return impairments_; }

  struct Stats {
    Tally carried, lost, queue_drops, duplicated, reordered, corrupted, truncated, too_large;
  };
  const Stats& stats() const { return stats_; }

 private:
  bool happens(double probability);
  Copy copy(Time leaves, std::uint32_t length);
  bool in_black_hole(Time now) const;

  Impairments impairments_;
  std::mt19937_64 random_;
  Time busy_until_ = 0;          // when the last packet in the queue has left
  std::uint64_t remainder_ = 0;  // of a nanosecond, in bits times 1e9 modulo the rate
  Stats stats_;
};

}  // namespace waggle::packet
