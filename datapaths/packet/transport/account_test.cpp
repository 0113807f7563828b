// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>

#include "datapaths/packet/transport/testing/lone_sender.hpp"

/// What a connection keeps count of goes back when its reason goes away, by whichever way.
namespace waggle::packet::testing {
namespace {

TEST_CASE("pieces of an expectation that is taken back count no more") {
  LoneSender peer;
  for (int i = 0; i < 3; ++i) {
    const ExtentId id{7, 0, 10'000};
    peer->expect({.id = id, .sink = Incoming::Sink::view, .file = {}});
    for (const std::uint64_t at : {100U, 300U, 500U}) {
      write_data_header(peer.room().data(), {0, 7, at});
      peer.receive(Type::data, kDataHeader + 10);
    }
    REQUIRE(peer->held().pieces == 3);
    peer->cancel(id);
    REQUIRE(peer->held().pieces == 0);
  }
}

}  // namespace
}  // namespace waggle::packet::testing
