// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/put_sender.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "harness/cli/command.hpp"
#include "protocol/testing/fixture.hpp"

namespace waggle::cli {

TEST_CASE("a tree is durable with all of its files, however small") {
  std::string place = (std::filesystem::temp_directory_path() / "sender-XXXXXX").string();
  REQUIRE(::mkdtemp(place.data()) != nullptr);
  for (const auto& [name, size] : {std::pair{"small", 10}, {"empty", 0}, {"large", 100'000}}) {
    std::ofstream(std::filesystem::path(place) / name) << std::string(static_cast<std::size_t>(size), 'x');
  }
  protocol::testing::Connected connected;
  connected.tree->nodes.emplace("", std::make_shared<protocol::testing::Node>());
  auto client = connected.open();
  REQUIRE(client);
  TransferOptions options;
  options.recursive = true;
  options.durable = GENERATE(false, true);
  const AbortOnSignal interrupt;
  TransferWatch watch(Global{.quiet = true});
  TransferTotal total;
  CHECK(Sender(*client, options, interrupt, watch, total).send(place, "to"));
  CHECK(total.files == 3);
  CHECK(total.failed == 0);
  CHECK(connected.tree->durable.size() == (options.durable ? 3 : 0));
  std::filesystem::remove_all(place);
}

}  // namespace waggle::cli
