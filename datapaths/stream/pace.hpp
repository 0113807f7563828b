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
class Pace {
 public:
  static constexpr std::size_t kLeast = 4096;

  /// A message or a payload begins.
  void begin() {
    moved_ = 0;
    since_ = 0;
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
  /// What the peer still has of `timeout`, never less than 0.
  std::chrono::nanoseconds left(std::chrono::nanoseconds timeout) const {
    const std::chrono::nanoseconds spent(ticking() ? now_ns() - since_ : 0);
    return std::max(timeout - spent, std::chrono::nanoseconds(0));
  }

 private:
  std::size_t moved_ = 0;    ///< bytes since the last time that there were enough
  std::uint64_t since_ = 0;  ///< when that was, or a little later; 0: no time has passed yet
};

}  // namespace waggle::stream
