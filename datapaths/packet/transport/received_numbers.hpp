// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "datapaths/packet/transport/range_set.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {

/// Which packet numbers have come in: what an ACK says. Bounded: of too many gaps the oldest are forgotten, and their
/// packets come once more, harmlessly.
class ReceivedNumbers {
 public:
  static constexpr std::size_t kMost = 64;  ///< ranges kept

  /// Whether `number` is new; it counts as received from now on.
  bool add(std::uint64_t number) {
    if (number == floor_ && numbers_.empty()) [[likely]] {
      gap_ = false;
      next_ = std::max(next_, ++floor_);
      return true;
    }
    if (number < floor_ || numbers_.add(number, number + 1) == 0) {
      return false;
    }
    gap_ = number > next_;
    next_ = std::max(next_, number + 1);
    if (number == floor_) {
      raise(numbers_.contiguous_from(floor_));
    }
    if (numbers_.size() > kMost) {
      numbers_.drop_lowest();
    }
    return true;
  }

  bool seen(std::uint64_t number) const { return number < floor_ || numbers_.contains(number, number + 1); }

  /// The sender no longer cares for anything below.
  void forget_below(std::uint64_t number) {
    if (number > floor_) {
      raise(numbers_.contiguous_from(number));
    }
  }

  std::uint64_t floor() const { return floor_; }
  std::uint64_t next() const { return next_; }  ///< one above the largest
  /// Whether the newest number jumped over others that have not come.
  bool gap() const { return gap_; }
  std::size_t ranges() const { return numbers_.size(); }  ///< above the floor

  /// Floor, largest and ranges of an ACK.
  AckBlock describe() const {
    AckBlock ack;
    ack.floor = floor_;
    ack.largest = next_ == 0 ? 0 : next_ - 1;
    ack.count = 0;
    const auto ranges = numbers_.ranges();
    for (auto range = ranges.rbegin(); range != ranges.rend() && ack.count < kMostRanges; ++range) {
      ack.ranges[ack.count++] = {range->begin, range->end - 1};
    }
    return ack;
  }

 private:
  void raise(std::uint64_t floor) {
    floor_ = floor;
    next_ = std::max(next_, floor);
    numbers_.drop_below(floor);
  }

  RangeSet numbers_;  // above the floor
  std::uint64_t floor_ = 0;
  std::uint64_t next_ = 0;
  bool gap_ = false;
};

}  // namespace waggle::packet
