// SPDX-License-Identifier: BSD-2-Clause
#include "base/progress.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace waggle {
namespace {

TEST_CASE("bytes fall into the bin of their time") {
  const auto progress = std::make_unique<Progress>();
  progress->start_ns = 1'000;
  progress->bin_ns = 100;
  progress->add(1'000, 1);
  progress->add(1'099, 2);
  progress->add(1'100, 4);
  progress->add(1'000 + 100 * (Progress::kBins + 5), 8);
  CHECK(progress->bytes == 15);
  CHECK(progress->bins[0] == 3);
  CHECK(progress->bins[1] == 4);
  CHECK(progress->bins[Progress::kBins - 1] == 8);
}

TEST_CASE("without a start, and before it, only the total counts") {
  const auto progress = std::make_unique<Progress>();
  progress->add(500, 3);
  progress->start_ns = 1'000;
  progress->add(999, 4);
  CHECK(progress->bytes == 7);
  CHECK(std::accumulate(progress->bins.begin(), progress->bins.end(), std::uint64_t{0}) == 0);
}

TEST_CASE("several connections may add at once") {
  const auto progress = std::make_unique<Progress>();
  progress->start_ns = 1;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (std::uint64_t round = 0; round < 10'000; ++round) {
          progress->add(1 + round, 3);
        }
      });
    }
  }
  CHECK(progress->bytes == 120'000);
  CHECK(progress->bins[0] == 120'000);
}

}  // namespace
}  // namespace waggle
