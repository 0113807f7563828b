// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/put_sender.hpp"

#include <catch2/catch.hpp>

#include "base/testing/folder.hpp"
#include "harness/cli/command.hpp"
#include "protocol/testing/fixture.hpp"

namespace waggle::cli {

TEST_CASE("a tree is durable with all of its files, however small") {
  const test::Folder folder;
  for (const auto& [name, size] : {std::pair{"small", 10}, {"empty", 0}, {"large", 100'000}}) {
    folder.write(name, std::string(static_cast<std::size_t>(size), 'x'));
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
  CHECK(Sender(*client, options, interrupt, watch, total).send(folder.path(), "to"));
  CHECK(total.files == 3);
  CHECK(total.failed == 0);
  CHECK(connected.tree->durable.size() == (options.durable ? 3 : 0));
}

}  // namespace waggle::cli
