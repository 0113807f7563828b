// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "datapaths/stream/frame.hpp"
#include "protocol/client_session.hpp"
#include "protocol/server_session.hpp"
#include "protocol/testing/fixture.hpp"

using namespace waggle;
using namespace waggle::protocol;
using namespace waggle::protocol::testing;

namespace {

constexpr std::string_view kGreeting = "hello, waggle\n";

/// Writes down frames as README.md shows them.
class Transcript {
 public:
  void add(std::string_view who, ByteView message, const std::optional<ExtentId>& announced = {}) {
    const auto head = decode_head(message);
    text_ += fmt::format("{}: {}\n", who, name(head->op));
    lines("  frame   ", stream::encode({static_cast<std::uint32_t>(message.size()), announced.has_value(),
                                        announced.value_or(ExtentId{})}));
    lines("  message ", message);
    if (announced) {
      lines("  payload ", std::as_bytes(std::span(kGreeting)));
    }
  }
  const std::string& text() const { return text_; }

 private:
  void lines(std::string_view label, ByteView bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += 32) {
      text_ += at == 0 ? label : std::string_view("          ");
      for (std::size_t i = at; i < std::min(at + 32, bytes.size()); ++i) {
        text_ += fmt::format("{:02x}{}", static_cast<unsigned>(bytes[i]), i % 4 == 3 ? " " : "");
      }
      while (text_.ends_with(' ')) {
        text_.pop_back();
      }
      text_ += '\n';
    }
  }

  std::string text_;
};

Nonce nonce_of(unsigned char byte) {
  Nonce nonce;
  nonce.fill(std::byte{byte});
  return nonce;
}

/// The download that README.md shows: token "secret", nonces of 0x11 and 0x22, one file of 14 bytes.
std::string transcript() {
  auto tree = std::make_shared<Tree>();
  tree->knows_digests = true;
  tree->put("greeting", kGreeting);
  MemoryFiles files(tree);
  const ServerOptions options{.token = "secret", .most_handles = 4096};
  ServerHandshake handshake(options, nonce_of(0x22));
  ClientSession client("secret", DigestKind::xxh3_128, nonce_of(0x11), nullptr);
  Transcript written;

  Action action = client.start();
  while (!client.ready()) {
    written.add("client", action.message);
    const auto answer = handshake.on_message(action.message, false);
    written.add("server", answer.reply);
    action = *client.on_handshake(answer.reply);
  }
  ServerSession server(files, options, handshake.agreement());
  const auto say = [&](const Result<ByteView>& request) {
    written.add("client", *request);
    return server.on_message(*request, {});
  };
  const auto hear = [&](const Action& answer, const std::optional<ExtentId>& announced = {}) {
    written.add("server", answer.message, announced);
    const auto reply = client.on_message(answer.message, announced);
    REQUIRE(reply);
    REQUIRE(reply->status);
  };
  hear(say(client.request(Lookup{1, "greeting"})));
  const Action extent = say(client.request(Read{{1, 0, kMaxExtent}}));
  hear(extent, extent.outgoing.id);
  const Incoming incoming = client.expect(Incoming::Sink::view, {});
  CHECK(*client.on_extent({incoming.id, {}, std::as_bytes(std::span(kGreeting))}));
  hear(server.on_sent({kGreeting.size(), {}}));
  say(client.request(Release{1}));
  return written.text();
}

/// The block of README.md that shows the example.
std::string documented() {
  std::ifstream file(WAGGLE_PROTOCOL_README);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  const std::string begin = "```example\n";
  const std::size_t from = all.find(begin);
  REQUIRE(from != std::string::npos);
  return all.substr(from + begin.size(), all.find("```", from + begin.size()) - from - begin.size());
}

}  // namespace

TEST_CASE("the example in README.md is what really goes over the wire", "[example]") {
  CHECK(documented() == transcript());
}
