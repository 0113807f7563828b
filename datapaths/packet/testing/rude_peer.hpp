// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/unique_fd.hpp"
#include "datapaths/packet/message_frame.hpp"
#include "datapaths/packet/transport/mtu_search.hpp"
#include "datapaths/packet/transport/retry_token.hpp"
#include "datapaths/packet/transport/wire.hpp"

/// Peers who speak the transport as badly as they like.
namespace waggle::packet::testing {

/// A UDP socket on the loopback interface with any number of connections to a server. Never acknowledges anything by
/// itself. Sends from any thread.
class RudePeer {
 public:
  struct Packet {
    Header header;
    std::vector<std::byte> bytes;
  };

  /// `address`: the last byte of 127.0.0.x, from where it speaks.
  explicit RudePeer(std::uint16_t server, std::uint8_t address = 1)
      : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(0x7F000000U + address)}, .sin_zero = {}};
    const int room = 4 << 20;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    static_cast<void>(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(server);
    static_cast<void>(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at));
  }

  void send(std::uint64_t connection, Type type, ByteView body = {}, std::uint8_t flags = 0) {
    std::vector<std::byte> packet(kHeader + body.size());
    const std::scoped_lock lock(mutex_);
    write_header(packet.data(),
                 {type, flags, static_cast<std::uint16_t>(packet.size()), connection, numbers_[connection]++, 0});
    std::ranges::copy(body, packet.begin() + kHeader);
    seal(packet);
    static_cast<void>(!::send(socket_.get(), packet.data(), packet.size(), 0));
  }

  /// A packet that has come, within `ms` milliseconds.
  std::optional<Packet> receive(int ms = 5000) {
    pollfd ready{socket_.get(), POLLIN, 0};
    std::array<std::byte, 65536> buffer;
    if (::poll(&ready, 1, ms) <= 0) {
      return {};
    }
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    const ByteView packet(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    const auto header = read_header(packet);
    return header ? std::optional(Packet{*header, {packet.begin(), packet.end()}}) : std::nullopt;
  }
  /// The next packet of a type; what else comes is dropped.
  std::optional<Packet> await(Type type) {
    for (auto packet = receive(); packet; packet = receive()) {
      if (packet->header.type == type) {
        return packet;
      }
    }
    return {};
  }

  void hello(std::uint64_t connection, const Terms& terms, ByteView token) {
    std::array<std::byte, MtuSearch::kBase - kHeader> body{};
    write_terms(body.data(), terms);
    store_be(body.data() + kTerms, static_cast<std::uint16_t>(token.size()));
    std::ranges::copy(token, body.begin() + kTerms + 2);
    send(connection, Type::hello, body);
  }
  /// Connects with all ids from `first` on, and returns how many were accepted.
  std::size_t connect(std::uint64_t first, std::size_t count = 1, const Terms& terms = {1472, 100, kMessageWindow}) {
    std::size_t accepted = 0;
    for (std::uint64_t id = first; id < first + count; ++id) {
      hello(id, terms, {});
      const auto retry = await(Type::retry);
      if (retry) {
        hello(id, terms, ByteView(retry->bytes).subspan(kHeader));
        accepted += await(Type::accept) ? 1 : 0;
      }
    }
    return accepted;
  }

  void close(std::uint64_t connection) {
    std::array<std::byte, 10> body{};
    store_be(body.data(), static_cast<std::uint16_t>(CloseCode::failed));
    send(connection, Type::close, body);
  }

  /// The front of a framed message, `length` bytes of it, from the beginning of the stream.
  void say(std::uint64_t connection, ByteView message, std::size_t length) {
    std::vector<std::byte> body(8 + MessageFrame::kShort + message.size());
    store_be(body.data() + 8, static_cast<std::uint32_t>(message.size()));
    std::ranges::copy(message, body.begin() + 8 + MessageFrame::kShort);
    send(connection, Type::message, ByteView(body).first(8 + std::min(length, body.size() - 8)));
  }
  void say(std::uint64_t connection, ByteView message) {
    say(connection, message, message.size() + MessageFrame::kShort);
  }

 private:
  UniqueFd socket_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::uint64_t> numbers_;  // by connection: the next packet's
};

}  // namespace waggle::packet::testing
