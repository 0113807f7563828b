// SPDX-License-Identifier: BSD-2-Clause
#include "tests/conformance/outlaw.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "datapaths/stream/frame.hpp"

namespace waggle::conformance {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

sockaddr_in address_of(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = ::inet_addr(endpoint.host.c_str());
  return address;
}

UniqueFd connected(int type, const Endpoint& to) {
  UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const sockaddr_in address = address_of(to);
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("an outlaw cannot reach the server");
  }
  return fd;
}

bool readable(int fd, nanoseconds timeout) {
  pollfd ready{fd, POLLIN, 0};
  const auto wait = std::chrono::ceil<milliseconds>(std::max(timeout, nanoseconds(0)));
  return ::poll(&ready, 1, static_cast<int>(wait.count())) > 0;
}

std::uint64_t random_id() {
  std::uint64_t id = 0;
  static_cast<void>(::getrandom(&id, sizeof id, 0));
  return id;
}

}  // namespace

int patience() {
  const char* text = std::getenv("WAGGLE_PATIENCE");
  return std::max(1, text != nullptr ? std::atoi(text) : 1);
}

StreamOutlaw::StreamOutlaw(const Endpoint& server) : socket_(connected(SOCK_STREAM, server)) {
  const timeval limit{10, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void StreamOutlaw::send(ByteView bytes) {
  while (!bytes.empty() && !over_) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    over_ = sent <= 0;
    bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  }
}

void StreamOutlaw::say(ByteView message, const ExtentId* announces) {
  stream::FrameHeader header{static_cast<std::uint32_t>(message.size()), announces != nullptr, {}};
  header.extent = announces != nullptr ? *announces : ExtentId{};
  const auto front = stream::encode(header);
  Bytes frame(front.begin(), front.end());
  frame.insert(frame.end(), message.begin(), message.end());
  send(frame);
}

void StreamOutlaw::begin_to_say(ByteView bytes, std::size_t size) {
  send(stream::encode({static_cast<std::uint32_t>(size), false, {}}));
  send(bytes);
}

void StreamOutlaw::pay(const ExtentId&, std::uint64_t, ByteView payload) {
  send(payload);
}

bool StreamOutlaw::receive(nanoseconds timeout) {
  if (over_ || !readable(socket_.get(), timeout)) {
    return false;
  }
  std::array<std::byte, 65536> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    over_ = true;
    return false;
  }
  input_.insert(input_.end(), buffer.begin(), buffer.begin() + got);
  return true;
}

std::optional<Heard> StreamOutlaw::hear(nanoseconds timeout) {
  const auto end = clock::now() + timeout;
  for (;;) {
    if (input_.size() >= stream::kFrameHeader) {
      std::array<std::byte, stream::kFrameHeader> front;
      std::copy_n(input_.begin(), front.size(), front.begin());
      const auto header = stream::decode(front);
      if (!header) {
        throw std::runtime_error("the server sent a frame that makes no sense");
      }
      // Payload is of no interest, but must be there to be skipped.
      const std::size_t payload = header->announces ? header->extent.length : 0;
      const std::size_t whole = front.size() + header->message + payload;
      if (input_.size() >= whole) {
        const auto begin = input_.begin() + static_cast<std::ptrdiff_t>(front.size());
        Heard heard{Bytes(begin, begin + static_cast<std::ptrdiff_t>(header->message)), {}};
        if (header->announces) {
          heard.announces = header->extent;
        }
        input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(whole));
        return heard;
      }
    }
    if (clock::now() > end || (!receive(end - clock::now()) && over_)) {
      return {};
    }
  }
}

void StreamOutlaw::linger(nanoseconds time) {
  const auto end = clock::now() + time;
  while (!over_ && clock::now() < end) {
    receive(end - clock::now());
  }
}

void StreamOutlaw::close_half() {
  ::shutdown(socket_.get(), SHUT_WR);
}

PacketOutlaw::PacketOutlaw(const Endpoint& server, const packet::Terms& terms)
    : raw_(random_id(), terms,
           [this](ByteView packet) {
             // What the socket does not take is a lost packet.
             static_cast<void>(::send(sockets_.back().get(), packet.data(), packet.size(), MSG_NOSIGNAL));
           }),
      server_(server) {
  sockets_.push_back(connected(SOCK_DGRAM, server));
  for (int round = 0; round < 100 * patience() && !raw_.accepted() && !raw_.closed(); ++round) {
    raw_.hello();
    take(milliseconds(100));
  }
}

void PacketOutlaw::move() {
  sockets_.push_back(connected(SOCK_DGRAM, server_));
}

/// Waits for a packet at most so long, and takes all that are there.
void PacketOutlaw::take(nanoseconds timeout) {
  std::vector<pollfd> ready;
  for (const UniqueFd& socket : sockets_) {
    ready.push_back({socket.get(), POLLIN, 0});
  }
  const auto wait = std::chrono::ceil<milliseconds>(std::max(timeout, nanoseconds(0)));
  if (::poll(ready.data(), ready.size(), static_cast<int>(wait.count())) <= 0) {
    return;
  }
  std::array<std::byte, 65536> buffer;
  for (const UniqueFd& socket : sockets_) {
    for (;;) {
      const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got <= 0) {
        break;
      }
      raw_.on_packet(ByteView(buffer).first(static_cast<std::size_t>(got)));
    }
  }
  raw_.acknowledge();
}

void PacketOutlaw::run(nanoseconds time, bool settle) {
  const auto end = clock::now() + time;
  while (clock::now() < end && !raw_.closed() && !(settle && raw_.settled())) {
    take(std::min<nanoseconds>(end - clock::now(), milliseconds(50)));
  }
}

void PacketOutlaw::settle() {
  for (int round = 0; round < 50 * patience() && !over(); ++round) {
    run(milliseconds(100), true);
    if (raw_.settled()) {
      return;
    }
    raw_.again();
  }
}

void PacketOutlaw::say(ByteView message, const ExtentId* announces) {
  raw_.message(message, announces);
  settle();
}

void PacketOutlaw::begin_to_say(ByteView bytes, std::size_t size) {
  raw_.begin_message(bytes, size);
  settle();
}

void PacketOutlaw::pay(const ExtentId& id, std::uint64_t offset, ByteView payload) {
  constexpr std::size_t kAtOnce = 32 * 1024;
  for (std::size_t at = 0; at < payload.size() && !over(); at += kAtOnce) {
    raw_.data(raw_.announced() - 1, id.handle, offset + at,
              payload.subspan(at, std::min(kAtOnce, payload.size() - at)));
    settle();
  }
}

std::optional<Heard> PacketOutlaw::hear(nanoseconds timeout) {
  const auto end = clock::now() + timeout;
  for (;;) {
    if (auto message = raw_.take_message()) {
      raw_.acknowledge();
      return Heard{std::move(message->bytes), message->announces};
    }
    if (over() || clock::now() > end) {
      return {};
    }
    take(std::min<nanoseconds>(end - clock::now(), milliseconds(200)));
    raw_.ping();
  }
}

void PacketOutlaw::linger(nanoseconds time) {
  const auto end = clock::now() + time;
  while (clock::now() < end && !over()) {
    raw_.ping();
    run(std::min<nanoseconds>(end - clock::now(), milliseconds(200)));
  }
}

}  // namespace waggle::conformance
