// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/handles.hpp"
#include "protocol/testing/served.hpp"

/// What one connection may take of what all share, and how much is remembered of an upload.
namespace waggle::protocol::testing {

TEST_CASE("nobody takes all files of a server, and everybody gets some", "[session]") {
  ServerOptions options;
  options.files = std::make_shared<FileBudget>(8);
  Peer first(options);
  Peer second(options);
  for (Peer* peer : {&first, &second}) {
    peer->authenticate();
    peer->tree->put("file", "content");
  }
  const auto open_many = [](Peer& peer) {
    std::uint32_t handle = 0;
    while (error_in(peer.tell(Lookup{handle + 1, "file"})) == "ATTRIBUTES") {
      ++handle;
    }
    fails(peer.tell(Lookup{handle + 1, "file"}), "busy: too many files are open on the server");
    fails(peer.tell(Create{handle + 1, 10, 0600, "new"}), "busy: too many files are open on the server");
    return handle;
  };
  CHECK(open_many(first) == 4);
  CHECK(open_many(second) == 2);
  CHECK(options.files->used() == 6);
  fails(second.tell(Lookup{3, "none"}), "busy: too many files are open on the server");
  second.tell(Release{1});
  CHECK(error_in(second.tell(Lookup{1, "none"})) != "ATTRIBUTES");
  CHECK(options.files->used() == 5);
  second.tell(Release{2});
  CHECK(error_in(first.tell(GetAttr{"file"})) == "ATTRIBUTES");
  CHECK(options.files->used() == 4);
}

TEST_CASE("an upload counts for the two descriptors that it holds", "[session]") {
  ServerOptions options;
  options.files = std::make_shared<FileBudget>(8);
  Peer server(options);
  server.authenticate();
  CHECK(error_in(server.tell(Create{1, 10, 0600, "one"})) == "ATTRIBUTES");
  CHECK(error_in(server.tell(Create{2, 10, 0600, "two"})) == "ATTRIBUTES");
  CHECK(options.files->used() == 4);
  fails(server.tell(Create{3, 10, 0600, "three"}), "busy: too many files are open on the server");
  server.tell(Release{1});
  CHECK(options.files->used() == 2);
}

TEST_CASE("a file counts until nobody holds its descriptor, though it was released and its connection is gone",
          "[session]") {
  ServerOptions options;
  options.files = std::make_shared<FileBudget>(8);
  auto server = std::make_unique<Peer>(options);
  server->authenticate();
  server->tree->put("file", "content");
  CHECK(error_in(server->tell(Lookup{1, "file"})) == "ATTRIBUTES");
  Action sends = server->tell(Read{{1, 0, 7}});
  REQUIRE(sends.kind == Action::Kind::send_extent);
  CHECK(sends.outgoing.shared.get() == sends.outgoing.file);
  server->session.on_sent({7, {}});
  server->tell(Release{1});
  CHECK(options.files->used() == 1);
  server.reset();
  CHECK(options.files->used() == 1);
  sends = {};
  CHECK(options.files->used() == 0);
}

TEST_CASE("a few files are there for every connection, however many came before", "[session]") {
  ServerOptions options;
  options.files = std::make_shared<FileBudget>(4, 3 * FileBudget::kFew);
  std::array<std::unique_ptr<Peer>, 3> peers;
  std::array<std::size_t, 3> opened{};
  for (std::size_t i = 0; i < peers.size(); ++i) {
    peers[i] = std::make_unique<Peer>(options);
    peers[i]->authenticate();
    peers[i]->tree->put("file", "content");
    while (error_in(peers[i]->tell(Lookup{static_cast<std::uint32_t>(opened[i]) + 1, "file"})) == "ATTRIBUTES") {
      ++opened[i];
    }
  }
  CHECK(opened == std::array<std::size_t, 3>{4 + 2, 4 + 1, 4 + 1});
  for (auto& peer : peers) {
    peer.reset();
  }
  CHECK(options.files->used() == 0);
}

TEST_CASE("what failed is subtracted within bounds, and nothing is where nothing failed", "[session]") {
  Coverage coverage;
  REQUIRE(coverage.add(0, 4 * Coverage::kMost));
  coverage.subtract(2, 0);
  CHECK(coverage.covers(4 * Coverage::kMost));
  for (std::uint64_t i = 1; i <= 2 * Coverage::kMost; ++i) {
    coverage.subtract(2 * i - 1, 1);
  }
  CHECK_FALSE(coverage.add(8 * Coverage::kMost, 1));  // as many as there may be, and no more
  CHECK(coverage.add(0, 4 * Coverage::kMost));
  CHECK(coverage.covers(4 * Coverage::kMost));
}

TEST_CASE("coverage knows when an upload is whole", "[session]") {
  Coverage coverage;
  CHECK(coverage.covers(0));
  CHECK(coverage.add(10, 10));
  CHECK_FALSE(coverage.covers(20));
  CHECK(coverage.add(0, 10));
  CHECK(coverage.covers(20));
  coverage.subtract(5, 1);
  CHECK_FALSE(coverage.covers(20));
  CHECK(coverage.add(4, 3));
  CHECK(coverage.covers(20));
  CHECK_FALSE(coverage.covers(21));
  Coverage scattered;
  for (std::uint64_t i = 0; i < Coverage::kMost; ++i) {
    CHECK(scattered.add(i * 2, 1));
  }
  CHECK_FALSE(scattered.add(Coverage::kMost * 2, 1));
  CHECK(scattered.add(1, 1));
}

}  // namespace waggle::protocol::testing
