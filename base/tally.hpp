// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <cstdint>

namespace waggle {

/// A count that one thread adds to while others may read it. Adding is a plain load and store: no locked instruction.
class Tally {
 public:
  Tally& operator+=(std::uint64_t more) {
    count_.store(count_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    return *this;
  }
  Tally& operator=(std::uint64_t count) {
    count_.store(count, std::memory_order_relaxed);
    return *this;
  }
  Tally& operator++() { return *this += 1; }
  operator std::uint64_t() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace waggle
