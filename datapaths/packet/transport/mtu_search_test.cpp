// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/mtu_search.hpp"

#include <catch2/catch.hpp>
#include <random>

namespace waggle::packet {
namespace {

/// Runs the search over a path that carries `path` bytes and loses other probes with probability `loss`; returns how
/// many probes it took.
int run(MtuSearch& search, std::uint32_t path, double loss = 0, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::bernoulli_distribution lost(loss);
  int probes = 0;
  for (Time now = 1; search.due() != kNever; ++now) {
    now = std::max(now, search.due());
    const std::uint32_t size = search.probe(now);
    REQUIRE(size > search.packet());
    search.on_sent(now);
    CHECK(search.probe(now + 1'000'000'000) == 0);  // one at a time
    CHECK(search.due() == kNever);
    if (size > path || lost(random)) {
      search.on_lost(now, size);
    } else {
      search.on_acknowledged(size);
    }
    REQUIRE(++probes < 100);
  }
  return probes;
}

TEST_CASE("the largest packet is tried first") {
  MtuSearch search(MtuSearch::kBase, 8924);
  CHECK(search.packet() == 1200);
  CHECK(search.due() == 0);
  CHECK(search.probe(0) == 8924);
  CHECK(run(search, 9000) == 1);
  CHECK(search.packet() == 8924);
  CHECK(search.due() == kNever);
  CHECK(search.probe(1'000'000) == 0);
}

TEST_CASE("nothing is searched for where the base is all that fits") {
  MtuSearch search(1200, 1200);
  CHECK(search.due() == kNever);
  CHECK(search.packet() == 1200);
}

TEST_CASE("a smaller path is found to within 16 bytes, in few probes") {
  for (std::uint32_t path = 1200; path <= 8924; path += 61) {
    MtuSearch search(MtuSearch::kBase, 8924);
    const int probes = run(search, path);
    CAPTURE(path, probes);
    REQUIRE(search.packet() <= path);
    REQUIRE(search.packet() + 16 >= path);
    REQUIRE(probes <= 3 * 10);
  }
}

TEST_CASE("a lost probe is tried three times before its size counts as too large") {
  MtuSearch search(MtuSearch::kBase, 1472);
  for (int tries = 0; tries < 2; ++tries) {
    search.on_sent(1);
    search.on_lost(1, 1472);
    CHECK(search.probe(1) == 1472);
  }
  search.on_sent(1);
  search.on_lost(1, 1472);
  CHECK(search.probe(1) == 1336);
  search.on_sent(2);
  search.on_acknowledged(1472);  // the third one was only late
  CHECK(search.packet() == 1472);
  CHECK(search.due() == kNever);
}

TEST_CASE("reports about anything but the probe under way change nothing") {
  MtuSearch search(MtuSearch::kBase, 1472);
  search.on_lost(1, 1472);  // none is under way
  search.on_sent(1);
  search.on_lost(1, 1300);
  search.on_acknowledged(1200);
  search.on_acknowledged(9000);  // was never probed
  CHECK(search.packet() == 1200);
  CHECK(search.due() == kNever);
}

TEST_CASE("random loss costs probes, never correctness") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    MtuSearch search(MtuSearch::kBase, 8924);
    run(search, 3458, 0.3, seed);
    CAPTURE(seed);
    REQUIRE(search.packet() >= 1200);
    REQUIRE(search.packet() <= 3458);
  }
}

TEST_CASE("a black hole leads back to the base and to a new search later") {
  MtuSearch search(MtuSearch::kBase, 8924);
  run(search, 8924);
  search.on_black_hole(1'000'000'000);
  CHECK(search.packet() == 1200);
  CHECK(search.probe(1'000'000'001) == 0);
  CHECK(search.due() > 1'000'000'000);
  CHECK(search.due() < kNever);
  run(search, 3458);
  CHECK(search.packet() <= 3458);
  CHECK(search.packet() >= 3442);
}

}  // namespace
}  // namespace waggle::packet
