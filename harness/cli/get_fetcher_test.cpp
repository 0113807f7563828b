// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/get_fetcher.hpp"

#include <catch2/catch.hpp>

#include "base/testing/folder.hpp"
#include "harness/cli/command.hpp"
#include "protocol/codec.hpp"
#include "protocol/testing/fixture.hpp"

namespace waggle::cli {
namespace {

namespace fs = std::filesystem;
using protocol::DirectoryEntry;
using protocol::FileType;
using protocol::testing::Connected;
using protocol::testing::Mischief;

/// A server each of whose directories holds the same ones.
Mischief endless(const std::vector<std::string>& names) {
  protocol::Entries page;
  for (const std::string& name : names) {
    page.entries.push_back({name, {.type = FileType::directory, .mode = 0755}});
  }
  return {.on_message = [page](std::vector<std::byte>& message) {
    const auto any = protocol::decode_any(message);
    if (any && any->head.op == protocol::Op::entries) {
      protocol::MessageBuffer buffer;
      const auto other = protocol::encode(buffer, any->head.request, page);
      message.assign(other->begin(), other->end());
    }
    return true;
  }};
}

/// What becomes of `get -r` of the directory "top".
struct Got {
  Result<> done;
  TransferTotal total;
  std::uint64_t made = 0;  ///< directories below the target, with itself
};

Got get_tree(Connected& connected, std::uint64_t most_listed) {
  const test::Folder folder;
  auto node = std::make_shared<protocol::testing::Node>();
  node->attributes = {.type = FileType::directory, .mode = 0755, .version = 77};
  connected.tree->nodes.emplace("top", std::move(node));
  auto client = connected.open();
  REQUIRE(client);
  TransferOptions options;
  options.recursive = true;
  const AbortOnSignal interrupt;
  TransferWatch watch(Global{.quiet = true});
  Got got;
  got.done = Fetcher(*client, options, interrupt, watch, got.total, most_listed).fetch("top", folder / "top");
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    got.made += entry.is_directory() ? 1 : 0;
  }
  return got;
}

}  // namespace

TEST_CASE("a tree without an end is not fetched, and nothing is made of it") {
  std::vector<std::string> names;
  for (int i = 0; i < 500; ++i) {
    names.push_back(std::string(200, 'd') + std::to_string(i));
  }
  Connected connected({}, endless(names));
  const Got got = get_tree(connected, std::uint64_t{4} << 20U);
  REQUIRE_FALSE(got.done);
  CHECK(got.done.error().fault == Fault::usage);
  CHECK(
      got.done.error().text() ==
      "'top': the list of this tree takes more than 4 MiB; fetch its directories one by one, if you trust that server");
  CHECK(got.made == 0);
}

TEST_CASE("a tree as deep as the server likes ends where its paths do") {
  Connected connected({}, endless({std::string(250, 'd')}));
  const Got got = get_tree(connected, kMostListed);
  CHECK(got.done);  // what is too deep is a failure of its own
  CHECK(got.total.failed >= 1);
  CHECK(got.made <= 1 + 4096 / 251);
}

}  // namespace waggle::cli
