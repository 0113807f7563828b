// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "datapaths/packet/transport/time.hpp"

namespace waggle::packet {

/// Datagram packetization layer path MTU discovery (RFC 8899), in bytes of packets (UDP payload). Starts from a base
/// that every path must carry, tries the largest first, since on most links it fits, then halves the interval. A lost
/// probe says nothing about congestion. Sans-I/O: the connection sends the probes.
class MtuSearch {
 public:
  static constexpr std::uint32_t kBase = 1200;
  /// Confirmed sizes are never below kBase. `largest`: what both ends' interfaces and frames take.
  MtuSearch(std::uint32_t base, std::uint32_t largest);

  std::uint32_t packet() const { return confirmed_; }  ///< largest confirmed size
  /// Size to probe now, or 0. At most one probe is under way.
  std::uint32_t probe(Time now) const;
  /// When probe() will next want something; kNever when a probe is under way or the search is over.
  Time due() const;
  void on_sent(Time now);
  void on_acknowledged(std::uint32_t size);
  /// A probe was lost: tried up to 3 times (RFC 8899, MAX_PROBES), then the size counts as too large.
  void on_lost(Time now, std::uint32_t size);
  /// Full-size packets vanish though small ones arrive (RFC 8899, 4.3): back to the base, search again later.
  void on_black_hole(Time now);

 private:
  void choose(Time now);

  std::uint32_t base_;
  std::uint32_t largest_;
  std::uint32_t confirmed_;
  std::uint32_t refused_;  // smallest size known not to fit; largest_ + 1 when none is
  std::uint32_t candidate_ = 0;
  std::uint32_t tries_ = 0;
  bool under_way_ = false;
  Time due_ = 0;
};

}  // namespace waggle::packet
