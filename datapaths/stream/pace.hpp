// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace waggle::stream {

/// Whether a peer keeps up in one direction: within a message or a payload it must move kLeast bytes, or what is left,
/// in each time-out. The clock is asked only after pieces smaller than that, so that large ones cost nothing and a peer
/// that trickles is found out after two time-outs at the latest.
///
/// A full socket takes nothing for as long as two thirds of its buffer are not acknowledged, which may be a megabyte.
/// So whoever sends looks at what was acknowledged when a wait has run out: first after a quarter of the time-out, only
/// to know where the peer stands, and then after whole ones.
class Pace {
 public:
  static constexpr std::size_t kLeast = 4096;

  /// A message or a payload begins.
  void begin() {
    if (!last_) {
      moved_ = 0;
      since_ = 0;
      looked_ = false;
    }
  }
  void move(std::size_t bytes) {
    moved_ += bytes;
    if (moved_ >= kLeast) {
      begin();
    } else {
      tick();
    }
  }
  /// From now on at the latest time runs.
  void tick() { since_ = since_ == 0 ? now_ns() : since_; }
  bool ticking() const { return since_ != 0; }
  /// So many bytes in all has the peer acknowledged.
  void look(std::uint64_t acknowledged) {
    if (!last_ && (!looked_ || acknowledged - seen_ >= kLeast)) {
      begin();
      tick();
      looked_ = true;
      seen_ = acknowledged;
    }
  }
  bool looked() const { return looked_; }
  /// One time-out is left for all that is still to be moved.
  void finish() {
    begin();
    tick();
    looked_ = last_ = true;
  }
  /// What the peer still has of `timeout`, never less than 0.
  std::chrono::nanoseconds left(std::chrono::nanoseconds timeout) const {
    const std::chrono::nanoseconds spent(ticking() ? now_ns() - since_ : 0);
    return std::max(timeout - spent, std::chrono::nanoseconds(0));
  }

 private:
  std::size_t moved_ = 0;    ///< bytes since the last time that there were enough
  std::uint64_t since_ = 0;  ///< when that was, or a little later; 0: no time has passed yet
  std::uint64_t seen_ = 0;   ///< bytes acknowledged at the last look
  bool looked_ = false;      ///< since the last begin()
  bool last_ = false;        ///< time runs and nothing stops it
};

}  // namespace waggle::stream
