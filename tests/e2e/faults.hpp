// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <future>
#include <memory>

#include "datapaths/stream/frame.hpp"
#include "datapaths/stream/tcp.hpp"
#include "datapaths/testing/pair.hpp"

/// What the tests of transfers that go wrong share: peers that write what they like, and extents that take a while.
namespace waggle::test {

/// Bytes of an extent that takes a while. Sanitizers make it last several times as long.
inline constexpr std::uint64_t kLong = kSanitized ? 12U << 20 : 32U << 20;

/// Buffers that hold far less than an extent: the sender is certainly still at work while the receiver waits.
inline ChannelOptions small_buffers() {
  ChannelOptions options;
  options.send_buffer = 128 * 1024;
  options.receive_buffer = 128 * 1024;
  return options;
}

/// A peer that writes what it likes on the wire.
struct RawPeer {
  stream::Socket socket;
  std::unique_ptr<Channel> channel;
};

inline RawPeer raw_peer(std::string_view sender, std::string_view receiver, ChannelOptions options) {
  const Datapath* datapath = must(find_datapath(sender));
  options.receive_with = receiver;
  const auto listener = must(datapath->listen({"127.0.0.1", 0}, options));
  auto connection = must(stream::connect_tcp(listener->endpoint(), ChannelOptions{}));
  return {std::move(connection.socket), must(listener->accept())};
}

/// Announces an extent of `length` bytes with an empty message and sends the first `given` of them.
inline void send_part(stream::Socket& socket, std::uint64_t length, std::uint64_t given) {
  must(socket.send(stream::encode({0, true, {7, 0, length}})));
  must(socket.send(pattern(0, given)));
}

/// A peer that has sent kSent bytes of an extent of kLong, which the channel expects to go into `target`.
struct HalfSent {
  static constexpr std::uint64_t kSent = 100000;

  explicit HalfSent(std::string_view receiver, const ChannelOptions& options = {})
      : peer(raw_peer("sendfile", receiver, options)) {
    send_part(peer.socket, kLong, kSent);
    CHECK(next_message(*peer.channel).announces);
    must(peer.channel->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
  }

  UniqueFd target = nameless_file();
  ExtentDigester digest{DigestKind::xxh3_128};
  RawPeer peer;
};

/// Sends that extent of a source in another thread.
inline std::future<Result<Sent>> send_later(Channel& channel, int source, std::uint64_t length) {
  return std::async(std::launch::async, [&channel, source, length] {
    auto sent = channel.send(as_bytes("x"), {{7, 0, length}, source});
    if (sent) {
      static_cast<void>(channel.flush());
    }
    return sent;
  });
}

}  // namespace waggle::test
