// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/authentication.hpp"
#include "protocol/testing/served.hpp"

/// What both sides have agreed on in the handshake, and what was not.
namespace waggle::protocol::testing {

TEST_CASE("only what both sides have is agreed on", "[session]") {
  Peer server;
  const Features features{.names = {"future", "xxh3-128", "echo"}, .count = 3};
  const Action answer = server.tell(Hello{.features = features});
  REQUIRE(answer.kind == Action::Kind::send);
  const auto challenge = decode_any(answer.message);
  REQUIRE(challenge);
  CHECK(std::get<Challenge>(challenge->body).features == server.session.agreement().features);
  CHECK(server.session.agreement().features == Features{.names = {"xxh3-128", "echo"}, .count = 2});
}

TEST_CASE("what was not agreed on breaks the protocol", "[session]") {
  Peer server;
  server.tree->put("file", "content");
  const Features features{.names = {"xxh3-128"}, .count = 1};
  SECTION("the digest of HELLO") {
    closes(server.tell(Hello{.digest = DigestKind::sha256, .features = features}),
           "protocol: HELLO chooses 'sha256', which was not agreed on");
    return;
  }
  REQUIRE(server.tell(Hello{.features = features}).kind == Action::Kind::send);
  REQUIRE(server.tell(Proof{}).kind == Action::Kind::send);
  CHECK(error_in(server.tell(Lookup{1, "file"})) == "ATTRIBUTES");
  SECTION("CREATE with resume") {
    CHECK(error_in(server.tell(Create{2, 0, 0600, "new"})) == "ATTRIBUTES");
    closes(server.tell(Create{3, 0, 0600, "x"}, flag::kResume),
           "protocol: CREATE needs 'resume', which was not agreed on");
  }
  SECTION("RELEASE with keep") {
    closes(server.tell(Release{1}, flag::kKeep), "protocol: RELEASE needs 'resume', which was not agreed on");
  }
  SECTION("DIGEST") {
    closes(server.tell(DigestRange{{1, 0, 1}}), "protocol: DIGEST needs 'digests', which was not agreed on");
  }
  SECTION("ECHO") {
    closes(server.tell(Echo{}), "protocol: ECHO needs 'echo', which was not agreed on");
  }
}

TEST_CASE("a client asks for nothing that was not agreed on", "[session]") {
  ClientSession client("", DigestKind::xxh3_128, nonce_of(1), nullptr);
  const Bytes hello = copy(client.start().message);
  MessageBuffer buffer;
  const Challenge offer{.features = {.names = {"xxh3-128", "digests"}, .count = 2}};
  const Bytes challenge = copy(*encode(buffer, 0, offer, flag::kOpen));
  REQUIRE(client.on_handshake(challenge));
  REQUIRE(client.on_handshake(*encode(buffer, 0, Welcome{.mac = proof_of(Role::server, "", hello, challenge)})));
  CHECK(client.request(Create{1, 10, 0600, "file"}));
  CHECK(client.request(DigestRange{{1, 0, 10}}));
  CHECK(client.request(Create{2, 10, 0600, "file"}, flag::kResume).error().fault == Fault::missing);
  CHECK(client.request(Echo{}).error().what == "the server does not offer 'echo', which ECHO needs");
}

TEST_CASE("a broken upload is kept only for who can resume it", "[session]") {
  const bool can = GENERATE(false, true);
  const auto tree = std::make_shared<Tree>();
  {
    MemoryFiles files{tree};
    const ServerOptions options;
    MessageBuffer buffer;
    ServerSession session(files, options, {.features = can ? own_features() : Features{}});
    session.on_message(*encode(buffer, 1, Create{1, 1024 * 1024, 0600, "file"}), {});
  }
  CHECK(tree->unfinished.contains("file") == can);
}

}  // namespace waggle::protocol::testing
