// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing/require.hpp"
#include "harness/measure/probe.hpp"
#include "harness/measure/testing/subject.hpp"

/// For tests of the tracer: two processes that are traced while they do something.
namespace waggle::measure {

inline constexpr std::size_t kSize = 256 * 1024;

inline std::unique_ptr<Tracer> start(pid_t sender, pid_t receiver) {
  auto tracer = Tracer::start({{record::Role::sender, sender}, {record::Role::receiver, receiver}});
  if (!tracer) {
    test::cannot_run(tracer.error());
  }
  return *std::move(tracer);
}

inline CallCount find(const PartyTrace& side, std::string_view call, std::string_view from, std::string_view to) {
  for (const CallCount& count : side.calls) {
    if (count.call == call && count.from == from && count.to == to) {
      return count;
    }
  }
  return {};
}

/// An unlinked file of kSize bytes in tmpfs or on disk.
inline UniqueFd make_file(const char* directory, int flags = 0) {
  UniqueFd file(::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600));
  const std::vector<char> content(kSize, 'x');
  REQUIRE(::write(file.get(), content.data(), kSize) == static_cast<ssize_t>(kSize));
  return file;
}

struct SocketPair {
  UniqueFd sender;
  UniqueFd receiver;
};

inline SocketPair tcp_pair() {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener.get(), generic, length) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  REQUIRE(::getsockname(listener.get(), generic, &length) == 0);
  SocketPair pair;
  pair.sender.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(pair.sender.get(), generic, length) == 0);
  pair.receiver.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(pair.receiver);
  return pair;
}

struct Pipe {
  UniqueFd out;
  UniqueFd in;
};

inline Pipe make_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

inline bool receive_all(int socket, std::size_t size, int flags) {
  std::vector<char> buffer(size);
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::recv(socket, buffer.data(), size - got, flags);
    if (n <= 0) {
      return false;
    }
    got += static_cast<std::size_t>(n);
  }
  return true;
}

/// Runs both sides to their end under a tracer.
inline Trace trace(const std::function<bool()>& send, const std::function<bool()>& receive) {
  Subject sender(send);
  Subject receiver(receive);
  auto tracer = start(sender.pid(), receiver.pid());
  REQUIRE(receiver.go());
  REQUIRE(sender.go());
  REQUIRE(sender.done());
  REQUIRE(receiver.done());
  auto seen = tracer->stop();
  REQUIRE(seen);
  return *seen;
}

inline Trace trace(const std::function<bool()>& send) {
  return trace(send, [] { return true; });
}

// What a Subject itself adds: one byte read from the control socket and one written to it.
inline constexpr std::uint64_t kControl = 1;

}  // namespace waggle::measure
