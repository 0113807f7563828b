// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>

#include "base/testing/must.hpp"
#include "datapaths/stream/frame.hpp"
#include "datapaths/stream/tcp.hpp"
#include "protocol/codec.hpp"
#include "protocol/server.hpp"
#include "protocol/testing/fixture.hpp"

using namespace waggle;
using namespace waggle::protocol;
using namespace waggle::protocol::testing;
using waggle::test::must;

namespace {

std::vector<std::byte> framed(ByteView message) {
  const auto header = stream::encode({static_cast<std::uint32_t>(message.size()), false, {}});
  std::vector<std::byte> frame(header.begin(), header.end());
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

/// A client that speaks by the byte.
class ByHand {
 public:
  explicit ByHand(const Endpoint& at) : socket_(must(stream::connect_tcp(at, {})).socket) {
    MessageBuffer buffer;
    say(must(encode(buffer, 0, Hello{.features = own_features()})));
    hear(Op::challenge);
    say(must(encode(buffer, 0, Proof{})));
    hear(Op::welcome);
  }
  void say(ByteView message) { REQUIRE(socket_.send(framed(message))); }
  void send(ByteView bytes) { static_cast<void>(socket_.send(bytes)); }
  void hear(Op expected) {
    std::array<std::byte, stream::kFrameHeader> header;
    take(header);
    std::vector<std::byte> message(must(stream::decode(header)).message);
    take(message);
    CHECK(must(decode_head(message)).op == expected);
  }

 private:
  void take(ByteSpan to) {
    while (!to.empty()) {
      to = to.subspan(must(socket_.receive(to)));
    }
  }

  stream::Socket socket_;
};

}  // namespace

TEST_CASE("who leaves part of a frame behind a refused message is not waited for", "[closing]") {
  ChannelOptions options;
  options.timeout = std::chrono::hours(1);
  auto listener = must(must(find_datapath("read_write"))->listen({"127.0.0.1", 0}, options));
  const Endpoint at = listener->endpoint();
  auto tree = std::make_shared<Tree>();
  Server server(std::move(listener), [&] { return std::make_unique<MemoryFiles>(tree); }, {});
  ByHand client(at);
  client.say(std::array{std::byte{0x01}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{},
                        std::byte{}});  // HELLO again, without its fields
  const auto header = stream::encode({kMaxMessage, false, {}});
  client.send(header);
  client.hear(Op::error);
  // It never closes, and sends the rest of its frame byte by byte.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);  // of a second that is needed
  while (server.connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    client.send(ByteView(header).first(1));
  }
  CHECK(server.connections() == 0);
}
