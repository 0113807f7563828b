// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>

#include <string>

#include "protocol/authentication.hpp"
#include "protocol/client_session.hpp"
#include "protocol/server_handshake.hpp"
#include "protocol/server_session.hpp"
#include "protocol/testing/fixture.hpp"

using namespace waggle;
using namespace waggle::protocol;
using namespace waggle::protocol::testing;

namespace {

using Bytes = std::vector<std::byte>;

Nonce nonce_of(unsigned char byte) {
  Nonce nonce;
  nonce.fill(std::byte{byte});
  return nonce;
}

Bytes copy(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

/// A ServerHandshake and the ServerSession that follows it, as one.
class Served {
 public:
  Served(FileService& files, const ServerOptions& options, const Nonce& nonce)
      : files_(files), options_(options), handshake_(options, nonce) {}

  Action on_message(ByteView message, const std::optional<ExtentId>& announced) {
    if (session_) {
      return session_->on_message(message, announced);
    }
    const auto answer = handshake_.on_message(message, announced.has_value());
    if (answer.verdict == Admission::Verdict::admit) {
      session_.emplace(files_, options_, handshake_.agreement());
    }
    const bool refused = answer.verdict == Admission::Verdict::refuse;
    return {.kind = refused ? Action::Kind::close : Action::Kind::send, .message = answer.reply};
  }
  Action on_extent(const Arrival& arrival) { return session_->on_extent(arrival); }

  bool authenticated() const { return session_.has_value(); }
  std::uint64_t requests() const { return session_ ? session_->requests() : 0; }
  const Error& failure() const { return session_ ? session_->failure() : handshake_.failure(); }
  const Agreement& agreement() const { return handshake_.agreement(); }

 private:
  FileService& files_;
  const ServerOptions& options_;
  ServerHandshake handshake_;
  std::optional<ServerSession> session_;
};

/// A server by itself, fed by hand.
struct Peer {
  explicit Peer(ServerOptions with = {}, unsigned char nonce = 2)
      : options(std::move(with)), session(files, options, nonce_of(nonce)) {}

  template <typename Body>
  Action tell(const Body& body, std::uint8_t flags = 0, std::optional<ExtentId> announced = {},
              std::uint32_t request = Body::kOp < Op::lookup ? 0 : 5) {
    const auto message = encode(buffer, request, body, flags);
    REQUIRE(message);
    return session.on_message(*message, announced);
  }

  void authenticate() {
    REQUIRE(tell(Hello{.features = own_features()}).kind == Action::Kind::send);
    REQUIRE(tell(Proof{}).kind == Action::Kind::send);
    REQUIRE(session.authenticated());
  }

  std::shared_ptr<Tree> tree = std::make_shared<Tree>();
  MemoryFiles files{tree};
  ServerOptions options;
  Served session;
  MessageBuffer buffer;
};

/// The ERROR in an action, as "fault: text"; what else it is otherwise.
std::string error_in(const Action& action) {
  const auto any = decode_any(action.message);
  if (!any || any->head.op != Op::error) {
    return any ? std::string(name(any->head.op)) : "nothing";
  }
  const auto& body = std::get<ErrorReply>(any->body);
  return std::string(name(fault_of_code(body.code))) + ": " + std::string(body.what);
}

void closes(const Action& action, const std::string& why) {
  CHECK(action.kind == Action::Kind::close);
  CHECK(error_in(action) == why);
}

void fails(const Action& action, const std::string& why) {
  CHECK(action.kind == Action::Kind::send);
  CHECK(error_in(action) == why);
}

Result<> shake_hands(ClientSession& client, Served& server) {
  Action action = client.start();
  while (!client.ready()) {
    const Action answer = server.on_message(action.message, {});
    WAGGLE_LET(next, client.on_handshake(answer.message));
    action = next;
  }
  return {};
}

}  // namespace

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
