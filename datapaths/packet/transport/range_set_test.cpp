// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/range_set.hpp"

#include <bitset>
#include <catch2/catch.hpp>
#include <random>

namespace waggle::packet {
namespace {

constexpr std::size_t kMost = 200;
using Bits = std::bitset<kMost>;

/// Whether the ranges are sorted, apart from each other, and hold just the numbers of `bits`.
bool same(const RangeSet& set, const Bits& bits) {
  Bits held;
  std::uint64_t last = 0;
  bool any = false;
  for (const auto& range : set.ranges()) {
    if (range.begin >= range.end || (any && range.begin <= last)) {
      return false;
    }
    any = true;
    last = range.end;
    for (auto at = range.begin; at < range.end; ++at) {
      held.set(at);
    }
  }
  return held == bits && set.empty() == bits.none() && set.size() == set.ranges().size();
}

TEST_CASE("a range set does what a set of bits does, whatever is added, removed and dropped") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    RangeSet set;
    Bits bits;
    for (int step = 0; step < 200; ++step) {
      const std::uint64_t begin = random() % kMost;
      const std::uint64_t end = std::min<std::uint64_t>(begin + random() % 12, kMost);
      CAPTURE(seed, step, begin, end);
      const Bits before = bits;
      switch (random() % 8) {
        case 0:
          set.remove(begin, end);
          for (auto at = begin; at < end; ++at) {
            bits.reset(at);
          }
          break;
        case 1:
          set.drop_below(begin / 4);
          bits = bits >> begin / 4 << begin / 4;
          break;
        case 2:
          if (!set.empty()) {
            const auto lowest = set.ranges().front();
            set.drop_lowest();
            for (auto at = lowest.begin; at < lowest.end; ++at) {
              bits.reset(at);
            }
          }
          break;
        default: {
          const std::size_t ranges = set.size();
          const bool touches = set.touches(begin, end);
          for (auto at = begin; at < end; ++at) {
            bits.set(at);
          }
          REQUIRE(set.add(begin, end) == bits.count() - before.count());
          if (begin < end) {
            REQUIRE(touches == (set.size() <= ranges));
            REQUIRE(set.contains(begin, end));
          }
        }
      }
      REQUIRE(same(set, bits));
      const auto missing = set.missing(begin, end);
      auto at = begin;
      while (at < end && bits.test(at)) {
        ++at;
      }
      REQUIRE(missing.begin == at);
      while (at < end && !bits.test(at)) {
        ++at;
      }
      REQUIRE(missing.end == at);
      at = begin;
      while (at < kMost && bits.test(at)) {
        ++at;
      }
      REQUIRE(set.contiguous_from(begin) == at);
    }
  }
}

}  // namespace
}  // namespace waggle::packet
