// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/server_handshake.hpp"

#include "protocol/testing/served.hpp"

/// Who is let in, and what is said until then.
namespace waggle::protocol::testing {

TEST_CASE("who knows the token is let in, and nobody else", "[session]") {
  const ServerOptions secret{.token = "open sesame"};
  SECTION("the same token") {
    Peer server(secret);
    ClientSession client("open sesame", DigestKind::sha256, nonce_of(1), nullptr);
    CHECK(shake_hands(client, server.session));
    CHECK(server.session.authenticated());
    CHECK(server.session.agreement().digest == DigestKind::sha256);
    CHECK(server.session.agreement().features == own_features());
  }
  SECTION("no token on either side") {
    Peer server;
    ClientSession client("", DigestKind::xxh3_128, nonce_of(1), nullptr);
    CHECK(shake_hands(client, server.session));
  }
  SECTION("another token") {
    Peer server(secret);
    ClientSession client("guess", DigestKind::xxh3_128, nonce_of(1), nullptr);
    const auto shaken = shake_hands(client, server.session);
    REQUIRE_FALSE(shaken);
    CHECK(shaken.error().fault == Fault::denied);
    CHECK(shaken.error().text() == "the server refuses the token; give both sides the same token");
    CHECK_FALSE(server.session.authenticated());
    CHECK(server.session.failure().fault == Fault::denied);
  }
  SECTION("no token where one is asked for") {
    Peer server(secret);
    ClientSession client("", DigestKind::xxh3_128, nonce_of(1), nullptr);
    CHECK(shake_hands(client, server.session).error().what == "the server asks for a token");
  }
  SECTION("a server that only claims to be open") {
    Peer server;
    ClientSession client("open sesame", DigestKind::xxh3_128, nonce_of(1), nullptr);
    const auto shaken = shake_hands(client, server.session);
    REQUIRE_FALSE(shaken);
    CHECK(shaken.error().fault == Fault::denied);
  }
}

TEST_CASE("a proof that was overheard is worth nothing on another connection", "[session]") {
  const ServerOptions secret{.token = "open sesame"};
  ClientSession client("open sesame", DigestKind::xxh3_128, nonce_of(1), nullptr);
  Peer first(secret, 2);
  const Bytes hello = copy(client.start().message);
  const Bytes challenge = copy(first.session.on_message(hello, {}).message);
  const Bytes proof = copy(client.on_handshake(challenge)->message);
  CHECK(first.session.on_message(proof, {}).kind == Action::Kind::send);

  Peer second(secret, 3);
  CHECK(second.session.on_message(hello, {}).kind == Action::Kind::send);
  closes(second.session.on_message(proof, {}), "denied: the server refuses the token");
}

TEST_CASE("what was negotiated is covered by the proof", "[session]") {
  const ServerOptions secret{.token = "open sesame"};
  Peer server(secret);
  ClientSession client("open sesame", DigestKind::sha256, nonce_of(1), nullptr);
  Bytes hello = copy(client.start().message);
  hello[12] = std::byte{1};  // somebody between asks for the weaker digest
  const Bytes challenge = copy(server.session.on_message(hello, {}).message);
  const Bytes proof = copy(client.on_handshake(challenge)->message);
  closes(server.session.on_message(proof, {}), "denied: the server refuses the token");
}

TEST_CASE("before authentication nothing else is heard", "[session]") {
  Peer server({.token = "t"});
  SECTION("a request at once") {
    closes(server.tell(Lookup{1, "file"}), "protocol: LOOKUP is not allowed now");
  }
  SECTION("a request after HELLO") {
    CHECK(server.tell(Hello{.features = own_features()}).kind == Action::Kind::send);
    closes(server.tell(GetAttr{"file"}), "protocol: GETATTR is not allowed now");
  }
  SECTION("PROOF first") {
    closes(server.tell(Proof{}), "protocol: PROOF is not allowed now");
  }
  SECTION("payload") {
    closes(server.tell(Hello{}, 0, ExtentId{1, 0, 10}), "protocol: payload was announced by HELLO");
  }
  SECTION("another version") {
    closes(server.tell(Hello{.lowest = 2, .highest = 3}),
           "protocol: the server speaks protocol version 1, the client 2 to 3");
  }
  CHECK(server.session.on_message({}, {}).kind == Action::Kind::close);
  CHECK(server.session.requests() == 0);
}

TEST_CASE("without fresh random bytes nobody is let in", "[session]") {
  const ServerOptions options;
  ServerHandshake handshake(options, fail(Fault::io, "cannot get random bytes"));
  MessageBuffer buffer;
  const auto answer = handshake.on_message(*encode(buffer, 0, Hello{}), false);
  CHECK(answer.verdict == Admission::Verdict::refuse);
  CHECK(handshake.failure().what == "cannot get random bytes");
}

TEST_CASE("a listener's own refusal is an ERROR without a request", "[session]") {
  const ServerOptions options;
  ServerHandshake handshake(options, Nonce{});
  const Error full{Fault::busy, std::string(5000, 'x')};
  const auto any = decode_any(handshake.refusal(full));
  REQUIRE(any);
  CHECK(any->head == Head{Op::error, 0, 0});
  CHECK(std::get<ErrorReply>(any->body).code == wire_code(Fault::busy));
  CHECK(std::get<ErrorReply>(any->body).what.size() == kMaxText);
}

}  // namespace waggle::protocol::testing
