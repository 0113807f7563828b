// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/clock.hpp"

namespace waggle::measure {
namespace {

constexpr std::size_t kRounds = 7;
constexpr std::size_t kMemory = 4 * 1024 * 1024;
constexpr int kSteps = 400'000;
constexpr double kMostDrift = 0.10;
constexpr double kMostSpread = 0.25;
constexpr double kMostSteal = 0.01;

using Rounds = std::array<std::uint64_t, kRounds>;

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
Rounds time_rounds(Work work) {
  Rounds rounds{};
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

Calibration calibrate() {
  volatile std::uint64_t result = 88'172'645'463'325'252U;
  const Rounds computed = time_rounds([&] { result = arithmetic(result); });
  std::vector<char> from(kMemory, 'a');
  std::vector<char> to(kMemory, 'b');
  const Rounds moved = time_rounds([&] {
    std::memcpy(to.data(), from.data(), kMemory);
    result = result + static_cast<unsigned char>(to[result % kMemory]);
  });
  const std::uint64_t median = computed[kRounds / 2];
  return {.arithmetic_ns = median,
          .memory_ns = moved[kRounds / 2],
          .spread = static_cast<double>(computed.back() - computed.front()) / static_cast<double>(median)};
}

std::vector<std::string> noise(const Calibration& before, const Calibration& after, double steal_share) {
  std::vector<std::string> reasons;
  compare(reasons, "fixed arithmetic", before.arithmetic_ns, after.arithmetic_ns);
  compare(reasons, "fixed memory traffic", before.memory_ns, after.memory_ns);
  if (const double spread = std::max(before.spread, after.spread); spread > kMostSpread) {
    reasons.push_back(fmt::format("repetitions of the same arithmetic differed by {:.0f} %", spread * 100));
  }
  if (steal_share > kMostSteal) {
    reasons.push_back(fmt::format("the hypervisor gave {:.1f} % of the CPU time to others", steal_share * 100));
  }
  return reasons;
}

}  // namespace waggle::measure
