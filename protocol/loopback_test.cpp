// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "base/testing/must.hpp"
#include "protocol/client.hpp"
#include "protocol/server.hpp"
#include "protocol/testing/fixture.hpp"

using namespace waggle;
using namespace waggle::protocol;
using namespace waggle::protocol::testing;
using waggle::test::must;

TEST_CASE("the whole protocol works over TCP and packets, with every datapath that runs over loopback here",
          "[loopback]") {
  for (const Datapath* datapath : datapaths()) {
    const auto links = datapath->links();
    if (std::ranges::find(links, "loopback") == links.end() || !datapath->available() ||
        !datapath->moves(Side::sender)) {
      continue;
    }
    INFO(datapath->name());
    ChannelOptions options;
    options.link = "loopback";
    options.allow_fallback = true;
    auto tree = std::make_shared<Tree>();
    tree->knows_digests = true;
    std::string large = noise(9'000'001);
    tree->put("large", large);
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < 1000; ++i) {
      paths.push_back("tree/" + std::to_string(i));
      tree->put(paths.back(), noise(i * 17));
    }
    auto listener = must(datapath->listen({"127.0.0.1", 0}, options));
    const Endpoint at = listener->endpoint();
    Server server(std::move(listener), [&] { return std::make_unique<MemoryFiles>(tree); }, {.token = "secret"});
    auto client = must(Client::open(must(datapath->connect(at, options)), {.token = "secret"}));

    const UniqueFd target = memory_file();
    const auto down = must(client.download("large", {Incoming::Sink::file, SharedFd::duplicate(target.get())}));
    CHECK(down.bytes == large.size());
    CHECK(content_of(target.get()) == large);
    CHECK(must(client.upload("copy", target.get(), large.size(), {.extent = 1'000'000})).digest != Digest{});
    CHECK(tree->get("copy") == large);

    std::size_t fetched = 0;
    const auto got = client.fetch_many(paths, [&](const Client::Fetched& file) -> Result<> {
      const std::string expected = noise(file.index * 17);
      fetched += std::ranges::equal(file.content, std::as_bytes(std::span(expected))) ? 1 : 0;
      return {};
    });
    CHECK(got);
    CHECK(fetched == paths.size());
    std::size_t stored = 0;
    const auto put = client.store_many(
        1000,
        [](std::size_t i) -> Result<Client::Small> {
          return Client::Small{"up/" + std::to_string(i), memory_file(noise(i * 17)), i * 17, 0644};
        },
        [&](std::size_t, std::uint64_t) -> Result<> {
          ++stored;
          return {};
        });
    CHECK(put);
    CHECK(stored == 1000);
    CHECK(tree->get("up/999") == noise(999 * 17));
    CHECK(client.echo(std::as_bytes(std::span(large)).first(64), 64));
    CHECK(client.download("none", {Incoming::Sink::file, SharedFd::duplicate(target.get())}).error().fault ==
          Fault::not_found);
    // Some movers cannot discard: they say so before anything is sent, and the connection goes on.
    if (const auto dropped = client.download("large", {}); !dropped) {
      CHECK(dropped.error().fault == Fault::usage);
    }
    // Nothing that failed stays expected: large payload still goes where it should.
    CHECK(must(client.download("large", {Incoming::Sink::file, SharedFd::duplicate(target.get())})).digest ==
          down.digest);
  }
}
