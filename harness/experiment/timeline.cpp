// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/timeline.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace waggle::experiment {
namespace {

constexpr std::size_t kMostIntervals = 256;

}  // namespace

std::uint64_t bin_width(double seconds) {
  constexpr double kLeast = 1e6;
  return static_cast<std::uint64_t>(std::max(kLeast, seconds * 1e9 * 4 / static_cast<double>(Progress::kBins)));
}

record::Timeline timeline_of(const Progress& progress, std::uint64_t end_ns) {
  const std::uint64_t start = progress.start_ns.load();
  const std::uint64_t width = progress.bin_ns.load();
  const std::uint64_t length = end_ns > start ? end_ns - start : 1;
  const auto bins = std::min<std::size_t>(Progress::kBins, static_cast<std::size_t>((length + width - 1) / width));
  const std::size_t together = std::max<std::size_t>(1, (bins + kMostIntervals - 1) / kMostIntervals);
  std::vector<std::uint64_t> bytes((bins + together - 1) / together);
  for (std::size_t bin = 0; bin < Progress::kBins; ++bin) {
    bytes[std::min(bin / together, bytes.size() - 1)] += progress.bins[bin].load();
  }
  return {.interval_s = static_cast<double>(width * together) / 1e9, .bytes = std::move(bytes)};
}

}  // namespace waggle::experiment
