// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <random>

namespace waggle::packet::testing {

/// What a seeded test draws; the same seed draws the same.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15U + 7) {}
  std::uint64_t below(std::uint64_t end) { return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(random_); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  double fraction(double most) { return std::uniform_real_distribution<double>(0, most)(random_); }

 private:
  std::mt19937_64 random_;
};

}  // namespace waggle::packet::testing
