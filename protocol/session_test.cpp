// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/testing/served.hpp"

/// Requests, and what is refused of them on either side.
namespace waggle::protocol::testing {

TEST_CASE("bytes that break the protocol close the connection and say why", "[session]") {
  Peer server;
  server.authenticate();
  SECTION("unknown op") {
    Bytes bytes(kHeadSize);
    bytes[0] = std::byte{0x50};
    closes(server.session.on_message(bytes, {}), "protocol: unknown op 0x50");
  }
  SECTION("a reply as a request") {
    closes(server.tell(Ok{}), "protocol: OK is not a request");
  }
  SECTION("cut short") {
    const Bytes bytes = copy(*encode(server.buffer, 1, Lookup{1, "file"}));
    closes(server.session.on_message(ByteView(bytes).first(15), {}),
           "protocol: malformed LOOKUP: the message is too short");
  }
  SECTION("payload where none belongs") {
    closes(server.tell(Lookup{1, "file"}, 0, ExtentId{1, 0, 10}), "protocol: payload was announced by LOOKUP");
  }
  SECTION("WRITE without payload, or with another than it names") {
    const auto announced = GENERATE(std::optional<ExtentId>{}, std::optional(ExtentId{1, 0, 11}),
                                    std::optional(ExtentId{1, 4096, 10}), std::optional(ExtentId{2, 0, 10}));
    closes(server.tell(Write{{1, 0, 10}}, 0, announced), "protocol: WRITE does not announce the extent that it names");
  }
  SECTION("a request without an id") {
    closes(server.tell(GetAttr{"file"}, 0, {}, 0), "protocol: GETATTR has no request id");
  }
  SECTION("DONE that does not fit its WRITE") {
    REQUIRE(server.tell(Create{1, 10, 0600, "f"}).kind == Action::Kind::send);
    const ExtentId extent{1, 0, 10};
    REQUIRE(server.tell(Write{extent}, 0, extent).kind == Action::Kind::expect);
    REQUIRE(server.session.on_extent({extent, {}, {}}).kind == Action::Kind::none);
    const auto [done, request] = GENERATE(std::pair(Done{.valid = 9, .digest = {16, {}}}, 5U),
                                          std::pair(Done{.valid = 10, .digest = {32, {}}}, 5U),
                                          std::pair(Done{.valid = 10, .version = 1, .digest = {16, {}}}, 5U),
                                          std::pair(Done{.status = 7, .valid = 11, .what = "shrank"}, 5U),
                                          std::pair(Done{.valid = 10, .digest = {16, {}}}, 6U));
    closes(server.tell(done, 0, {}, request), "protocol: DONE does not fit the WRITE before it");
  }
  SECTION("a request between payload and DONE") {
    REQUIRE(server.tell(Create{1, 10, 0600, "f"}).kind == Action::Kind::send);
    const ExtentId extent{1, 0, 10};
    const Action action = server.tell(Write{extent}, 0, extent);
    REQUIRE(action.kind == Action::Kind::expect);
    CHECK(action.incoming.id == extent);
    CHECK(server.session.on_extent({extent, {}, {}}).kind == Action::Kind::none);
    closes(server.tell(GetAttr{"f"}), "protocol: GETATTR is not allowed now");
  }
  SECTION("payload that was not announced") {
    closes(server.session.on_extent({{1, 0, 10}, {}, {}}), "protocol: payload arrived that was not announced");
  }
  CHECK_FALSE(server.session.failure().what.empty());
}

TEST_CASE("a request that cannot be done is answered and the connection goes on", "[session]") {
  Peer server({.most_handles = 2});
  server.authenticate();
  server.tree->put("file", "content");
  SECTION("a handle that is not open") {
    fails(server.tell(Read{{7, 0, 10}}), "usage: handle 7 is not open");
    fails(server.tell(Sync{7}), "usage: handle 7 is not open");
    fails(server.tell(Commit{7}), "usage: handle 7 is not open");
    fails(server.tell(DigestRange{{7, 0, 1}}), "usage: handle 7 is not open");
    CHECK(server.tell(Release{7}).kind == Action::Kind::none);
  }
  SECTION("WRITE to a handle that is not open takes the payload off the wire first") {
    const ExtentId extent{7, 0, 10};
    const Action action = server.tell(Write{extent}, 0, extent);
    REQUIRE(action.kind == Action::Kind::expect);
    CHECK(action.incoming.sink == Incoming::Sink::discard);
    CHECK(server.session.on_extent({extent, {}, {}}).kind == Action::Kind::none);
    fails(server.tell(Done{.valid = 10, .digest = {16, {}}}), "usage: handle 7 is not open");
  }
  SECTION("a handle in use") {
    CHECK(error_in(server.tell(Lookup{1, "file"})) == "ATTRIBUTES");
    fails(server.tell(Lookup{1, "file"}), "usage: handle 1 is open already");
    fails(server.tell(Create{1, 0, 0600, "x"}), "usage: handle 1 is open already");
  }
  SECTION("more files than allowed, until one is released") {
    server.tell(Lookup{1, "file"});
    server.tell(Lookup{2, "file"});
    fails(server.tell(Lookup{3, "file"}), "busy: 2 files are open on this connection, which is the server's limit");
    server.tell(Release{1});
    CHECK(error_in(server.tell(Lookup{3, "file"})) == "ATTRIBUTES");
  }
  SECTION("a path that leaves the directory") {
    fails(server.tell(Lookup{1, "../file"}), "denied: ../file: the path leaves the served directory");
  }
  SECTION("WRITE through a handle for reading, or beyond the size of an upload") {
    server.tell(Lookup{1, "file"});
    server.tell(Create{2, 10, 0600, "new"});
    const auto [extent, why] = GENERATE(
        std::pair(ExtentId{1, 0, 4}, "denied: handle 1 is not open for writing"),
        std::pair(ExtentId{2, 8, 4}, "usage: the extent lies beyond the size that the upload was created with"));
    const Action action = server.tell(Write{extent}, 0, extent);
    CHECK(action.incoming.sink == Incoming::Sink::discard);
    server.session.on_extent({extent, {}, {}});
    fails(server.tell(Done{.valid = 4, .digest = {16, {}}}), why);
  }
  SECTION("COMMIT of what is no upload, and of one with a hole") {
    server.tell(Lookup{1, "file"});
    fails(server.tell(Commit{1}), "usage: only an upload can be committed");
    fails(server.tell(Commit{1}), "usage: handle 1 is not open");
    server.tell(Create{2, 10, 0600, "new"});
    fails(server.tell(Commit{2}), "corrupt: the upload is not whole: some of its bytes never arrived intact");
    CHECK(server.tree->get("new") == "<none>");
  }
  SECTION("reading a directory like a file") {
    server.tell(MakeDirectory{0755, "d"});
    server.tell(Lookup{1, "d"});
    fails(server.tell(Read{{1, 0, 10}}), "usage: a directory cannot be read like a file");
    fails(server.tell(DigestRange{{1, 0, 10}}), "usage: a directory cannot be read like a file");
  }
  SECTION("DIGEST beyond the size of an upload") {
    server.tell(Create{1, 10, 0600, "new"});
    fails(server.tell(DigestRange{{1, 8, 3}}),
          "usage: the extent lies beyond the size that the upload was created with");
  }
  CHECK(error_in(server.tell(GetAttr{"file"})) == "ATTRIBUTES");
}

TEST_CASE("a read-only server changes nothing", "[session]") {
  Peer server({.read_only = true});
  server.authenticate();
  server.tree->put("file", "content");
  const std::string why = "denied: the server is read-only";
  fails(server.tell(Lookup{1, "file"}, flag::kWritable), why);
  fails(server.tell(Create{1, 10, 0600, "new"}), why);
  fails(server.tell(SetAttr{.path = "file"}), why);
  fails(server.tell(MakeDirectory{0755, "d"}), why);
  fails(server.tell(Remove{"file"}), why);
  fails(server.tell(Rename{"file", "x"}), why);
  fails(server.tell(Truncate{0, "file"}), why);
  CHECK(error_in(server.tell(Lookup{1, "file"})) == "ATTRIBUTES");
  CHECK(server.tree->get("file") == "content");
}

TEST_CASE("quiet requests are answered only when they fail", "[session]") {
  Peer server;
  server.authenticate();
  CHECK(server.tell(Create{1, 0, 0600, "new"}, flag::kQuiet).kind == Action::Kind::none);
  CHECK(server.tell(Commit{1}, flag::kQuiet).kind == Action::Kind::none);
  CHECK(server.tree->get("new").empty());
  fails(server.tell(Commit{1}, flag::kQuiet), "usage: handle 1 is not open");
}

TEST_CASE("a client believes nothing that it did not ask for", "[session]") {
  Peer server;
  ClientSession client("", DigestKind::xxh3_128, nonce_of(1), nullptr);
  REQUIRE(shake_hands(client, server.session));
  MessageBuffer buffer;
  REQUIRE(client.request(Lookup{1, "file"}));
  const ExtentId asked{1, 0, 100};
  SECTION("a reply to nothing") {
    CHECK(client.on_message(*encode(buffer, 99, Ok{}), {}).error().what == "the server sent OK that answers nothing");
  }
  SECTION("a reply of another kind") {
    CHECK(client.on_message(*encode(buffer, 1, Ok{}), {}).error().what == "the server answered LOOKUP with OK");
  }
  SECTION("another extent than the one asked for") {
    REQUIRE(client.on_message(*encode(buffer, 1, AttributesReply{}), {}));
    REQUIRE(client.request(Read{asked}));
    const ExtentId other = GENERATE(ExtentId{2, 0, 100}, ExtentId{1, 1, 50}, ExtentId{1, 0, 101});
    const auto reply = client.on_message(*encode(buffer, 2, Extent{other, {}}), other);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().what == "the server announced payload that was not asked for");
  }
  SECTION("DONE before the payload that was announced") {
    REQUIRE(client.on_message(*encode(buffer, 1, AttributesReply{}), {}));
    REQUIRE(client.request(Read{asked}));
    REQUIRE(client.on_message(*encode(buffer, 2, Extent{asked, {}}), asked));
    CHECK_FALSE(client.on_message(*encode(buffer, 2, Done{.valid = 100, .digest = {16, {}}}), {}));
  }
  SECTION("an empty DONE with a digest of something") {
    REQUIRE(client.on_message(*encode(buffer, 1, AttributesReply{}), {}));
    REQUIRE(client.request(Read{asked}));
    const auto reply = client.on_message(*encode(buffer, 2, Done{.digest = {16, {}}}), {});
    REQUIRE(reply);
    CHECK(reply->status.error().fault == Fault::corrupt);
  }
}

}  // namespace waggle::protocol::testing
