// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/clock.hpp"

namespace waggle::measure {
namespace {

constexpr std::size_t kMemory = 4 * 1024 * 1024;
constexpr int kSteps = 400'000;
constexpr double kMostDrift = 0.10;
constexpr double kMostSpread = 0.25;
constexpr double kMostSteal = 0.01;
constexpr double kMostCpuPressure = 0.10;
constexpr double kMostOthers = 0.1;  // of a CPU
constexpr double kMostMemoryPressure = 0.01;
constexpr double kMostSlowing = 0.10;

using Rounds = std::vector<std::uint64_t>;

/// Every step needs the one before, so neither vectors nor the width of the CPU change its time.
std::uint64_t arithmetic(std::uint64_t seed) {
  for (int step = 0; step < kSteps; ++step) {
    seed ^= seed << 13U;
    seed ^= seed >> 7U;
    seed ^= seed << 17U;
  }
  return seed;
}

template <typename Work>
Rounds time_rounds(std::size_t count, Work work) {
  Rounds rounds(count);
  for (auto& nanoseconds : rounds) {
    const std::uint64_t start = now_ns();
    work();
    nanoseconds = now_ns() - start;
  }
  std::ranges::sort(rounds);
  return rounds;
}

void compare(std::vector<std::string>& reasons, std::string_view what, std::uint64_t before, std::uint64_t after) {
  if (before == 0) {
    return;
  }
  const double drift = static_cast<double>(after) / static_cast<double>(before) - 1;
  if (std::abs(drift) > kMostDrift) {
    reasons.push_back(fmt::format("{} took {:.0f} % {} after the experiment than before it", what,
                                  std::abs(drift) * 100, drift > 0 ? "longer" : "less"));
  }
}

}  // namespace

Calibration calibrate(std::size_t rounds) {
  volatile std::uint64_t result = 88'172'645'463'325'252U;
  const Rounds computed = time_rounds(rounds, [&] { result = arithmetic(result); });
  std::vector<char> from(kMemory, 'a');
  std::vector<char> to(kMemory, 'b');
  const Rounds moved = time_rounds(rounds, [&] {
    std::memcpy(to.data(), from.data(), kMemory);
    result = result + static_cast<unsigned char>(to[result % kMemory]);
  });
  const std::uint64_t median = computed[rounds / 2];
  return {.arithmetic_ns = median,
          .memory_ns = moved[rounds / 2],
          .spread = static_cast<double>(computed.back() - computed.front()) / static_cast<double>(median)};
}

std::vector<std::string> noise(const Disturbance& seen) {
  std::vector<std::string> reasons;
  compare(reasons, "fixed arithmetic", seen.before.arithmetic_ns, seen.after.arithmetic_ns);
  compare(reasons, "fixed memory traffic", seen.before.memory_ns, seen.after.memory_ns);
  if (const double spread = std::max(seen.before.spread, seen.after.spread); spread > kMostSpread) {
    reasons.push_back(fmt::format("repetitions of the same arithmetic differed by {:.0f} %", spread * 100));
  }
  if (seen.steal_share > kMostSteal) {
    reasons.push_back(fmt::format("the hypervisor gave {:.1f} % of the CPU time to others", seen.steal_share * 100));
  }
  if (seen.throttled_s > 0) {
    reasons.push_back(fmt::format("the CPU quota of the cgroup stopped its processes for {:.2f} s", seen.throttled_s));
  }
  if (seen.cpu_pressure > kMostCpuPressure) {
    reasons.push_back(
        fmt::format("others wanted the CPUs: {:.0f} % of the time somebody waited for one before or "
                    "after the runs",
                    seen.cpu_pressure * 100));
  }
  if (seen.others_cpus > kMostOthers) {
    reasons.push_back(fmt::format("other programs had {:.0f} % of a CPU during the runs", seen.others_cpus * 100));
  }
  if (seen.memory_pressure > kMostMemoryPressure) {
    reasons.push_back(fmt::format("{:.1f} % of the time somebody waited for memory", seen.memory_pressure * 100));
  }
  for (const auto& [cpu, range] : seen.frequency_mhz) {
    if (range.first < range.second * (1 - kMostSlowing)) {
      reasons.push_back(fmt::format("CPU {} ran at {:.0f} to {:.0f} MHz", cpu, range.first, range.second));
    }
  }
  return reasons;
}

}  // namespace waggle::measure
