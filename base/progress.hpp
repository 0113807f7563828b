// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace waggle {

/// Payload bytes that a receiver has verified, in total and over time. Plain data that may live in memory shared by two
/// processes, so that a watcher costs the measured process no thread, no system call and no context switch.
struct Progress {
  static constexpr std::size_t kBins = 4096;

  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> start_ns{0};                ///< CLOCK_MONOTONIC; 0: bins are not filled
  std::atomic<std::uint64_t> bin_ns{10'000'000};         ///< width of a bin
  std::array<std::atomic<std::uint64_t>, kBins> bins{};  ///< bytes verified in each; the last bin takes the rest

  void add(std::uint64_t now_ns, std::uint64_t verified) {
    bytes.fetch_add(verified, std::memory_order_relaxed);
    const std::uint64_t start = start_ns.load(std::memory_order_relaxed);
    if (start != 0 && now_ns >= start) {
      std::size_t bin = (now_ns - start) / bin_ns.load(std::memory_order_relaxed);
      bins[bin < kBins ? bin : kBins - 1].fetch_add(verified, std::memory_order_relaxed);
    }
  }
};

}  // namespace waggle
