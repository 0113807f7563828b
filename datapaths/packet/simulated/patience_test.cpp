// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>

#include "datapaths/packet/simulated/testing/intruder.hpp"
#include "datapaths/packet/testing/times.hpp"

/// Patience with a peer that takes nothing, whatever else it sends.
namespace waggle::packet::testing {
namespace {

TEST_CASE("a peer that acknowledges nothing is tested for progress when the numbers are used up, too") {
  HostOptions options;
  options.patience = 10 * kSecond;
  Intruder peer(options);
  const bool first = GENERATE(true, false);
  CAPTURE(first);
  const auto offer = [&] {
    peer.connection().offer({1, 0, std::uint64_t{1} << 30U}, {}, nullptr);
    peer.host().wake(peer.connection());
    peer.pass(0);
  };
  if (first) {
    offer();
  }
  for (std::uint64_t i = 0; i < Connection::kMostNumbers; ++i) {
    peer.send(Type::ping, kClose);  // each is answered, and each answer uses up a number
  }
  if (!first) {
    offer();
  }
  for (int i = 0; i < 5 && !peer.connection().failure(); ++i) {
    peer.pass(5 * kSecond);
    peer.send(Type::ping, kClose);
  }
  REQUIRE(peer.connection().failure());
  CHECK(peer.connection().failure()->fault == Fault::timeout);
  CHECK(peer.closed == CloseCode::timeout);
}

}  // namespace
}  // namespace waggle::packet::testing
