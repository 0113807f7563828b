// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/mman.h>

#include <memory>
#include <string>
#include <string_view>

#include "datapaths/stream/frame.hpp"
#include "datapaths/stream/tcp.hpp"
#include "datapaths/testing/pair.hpp"

/// For tests only: a channel whose peer is a bare socket, which may say what no channel would.
namespace waggle::stream::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::as_bytes;
using test::must;
using test::text_of;

/// A message as it is on the wire, and one that announces an extent.
inline std::string frame(const std::string& message) {
  const auto header = encode({static_cast<std::uint32_t>(message.size()), false, {}});
  return text_of(header) + message;
}

inline std::string announcement(const std::string& message, const ExtentId& id) {
  return text_of(encode({static_cast<std::uint32_t>(message.size()), true, id})) + message;
}

/// A channel and the bare socket at its other end.
struct Ends {
  std::unique_ptr<Channel> channel;
  Socket peer;
};

/// A channel of that mover, accepted.
inline Ends open(std::string_view name = "read_write", const ChannelOptions& options = {}) {
  const auto listener = must(must(find_datapath(name))->listen({"127.0.0.1", 0}, options));
  auto connection = must(connect_tcp(listener->endpoint(), ChannelOptions{}));
  return {must(listener->accept()), std::move(connection.socket)};
}

/// Exactly `length` bytes from the bare end.
inline std::string read_exactly(Socket& peer, std::size_t length) {
  std::string bytes(length, '\0');
  for (std::size_t done = 0; done < length;) {
    done += must(peer.receive(std::as_writable_bytes(std::span(bytes)).subspan(done)));
  }
  return bytes;
}

inline UniqueFd file_of(std::string_view content) {
  UniqueFd file(::memfd_create("content", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  return file;
}

inline std::string content_of(int file) {
  std::string content(1 << 16, '\0');
  const ssize_t got = ::pread(file, content.data(), content.size(), 0);
  REQUIRE(got >= 0);
  content.resize(static_cast<std::size_t>(got));
  return content;
}

/// Receiving has failed, but the peer can still be told.
inline void check_last_words(Ends& ends) {
  must(ends.channel->send(as_bytes("your fault")));
  must(ends.channel->flush());
  CHECK(read_exactly(ends.peer, frame("your fault").size()) == frame("your fault"));
}

}  // namespace waggle::stream::testing
