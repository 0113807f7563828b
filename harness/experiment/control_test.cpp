// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/control.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace waggle;
using namespace waggle::experiment;

TEST_CASE("names and errors cross processes as the bytes that they are") {
  auto ends = Control::make();
  REQUIRE(ends);
  auto& [harness, other] = *ends;
  const Control agent(std::move(other));
  Control writer(UniqueFd(::dup(agent.fd())));
  const Error error{Fault::denied, "cannot open 'caf\xe9\x1b'", "look at \xff", 13};
  REQUIRE(writer.send({{"error", error_to_json(error)}}));
  const auto message = harness.receive();
  REQUIRE(message);
  const Error there = error_from_json(message->at("error"));
  CHECK(there.what == error.what);
  CHECK(there.hint == error.hint);
}
