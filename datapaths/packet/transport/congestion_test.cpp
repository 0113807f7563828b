// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/congestion.hpp"

#include <catch2/catch.hpp>

namespace waggle::packet {
namespace {

constexpr std::uint32_t kDatagram = 1400;

TEST_CASE("congestion controls are made by name") {
  const auto cubic = make_congestion("cubic", kDatagram);
  REQUIRE(cubic);
  CHECK((*cubic)->describe() == "cubic");
  CHECK((*cubic)->window() == 10 * kDatagram);
  CHECK((*cubic)->slow_start());

  for (const char* wrong : {"", "bbr", "fixed", "fixed:", "fixed:0", "fixed:fast", "fixed:0Gbit", "fixed:100000Gbit"}) {
    CAPTURE(wrong);
    const auto none = make_congestion(wrong, kDatagram);
    REQUIRE_FALSE(none);
    CHECK(none.error().fault == Fault::usage);
  }
}

TEST_CASE("a fixed window heeds nothing") {
  const auto fixed = make_congestion("fixed:4MiB", kDatagram);
  REQUIRE(fixed);
  CHECK((*fixed)->describe() == "fixed window 4 MiB");
  (*fixed)->on_loss(1, 1);
  (*fixed)->on_persistent_congestion();
  CHECK((*fixed)->window() == 4 * 1024 * 1024);
  CHECK((*fixed)->pacing_rate(1'000'000) == 0);
  CHECK_FALSE((*fixed)->slow_start());
}

TEST_CASE("a fixed window is never too small to send") {
  const auto fixed = make_congestion("fixed:1", kDatagram);
  REQUIRE(fixed);
  CHECK((*fixed)->window() == 2 * kDatagram);
}

TEST_CASE("a fixed rate is paced, with a window that does not limit it") {
  const auto fixed = make_congestion("fixed:10Gbit", kDatagram);
  REQUIRE(fixed);
  CHECK((*fixed)->describe() == "fixed rate 10 Gbit/s");
  for (const Time smoothed : {50'000U, 1'000'000U, 100'000'000U}) {
    (*fixed)->on_ack({.now = 1, .bytes = kDatagram, .smoothed = smoothed});
    CHECK((*fixed)->pacing_rate(smoothed) == 1'250'000'000);
    CHECK(static_cast<double>((*fixed)->window()) >= 1.25 * static_cast<double>(smoothed));
  }
}

}  // namespace
}  // namespace waggle::packet
