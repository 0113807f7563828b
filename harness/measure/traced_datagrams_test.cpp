// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/testing/traced.hpp"

using namespace waggle;
using namespace waggle::measure;
using record::Role;

namespace {

SocketPair udp_pair() {
  SocketPair pair;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  pair.receiver.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  pair.sender.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(pair.receiver.get(), generic, length) == 0);
  REQUIRE(::getsockname(pair.receiver.get(), generic, &length) == 0);
  REQUIRE(::connect(pair.sender.get(), generic, length) == 0);
  return pair;
}

/// A burst of `count` messages of `size` bytes, all in one buffer.
struct Burst {
  Burst(std::size_t count, std::size_t size) : buffer(size), vectors(count), headers(count) {
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {.iov_base = buffer.data(), .iov_len = size};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  std::vector<char> buffer;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> headers;
};

}  // namespace

TEST_CASE("bursts of datagrams are counted by their bytes, and copied once on each side") {
  constexpr unsigned kCount = 20;
  constexpr std::size_t kDatagram = 1200;
  const SocketPair udp = udp_pair();
  const auto seen = trace(
      [&] {
        Burst burst(kCount, kDatagram);
        return ::sendmmsg(udp.sender.get(), burst.headers.data(), kCount, 0) == kCount &&
               ::sendmmsg(udp.sender.get(), burst.headers.data(), 0, 0) == 0;
      },
      [&] {
        Burst burst(2 * kCount, kDatagram);
        unsigned got = 0;
        while (got < kCount) {
          const int n = ::recvmmsg(udp.receiver.get(), burst.headers.data(), 2 * kCount, MSG_WAITFORONE, nullptr);
          if (n <= 0) {
            return false;
          }
          got += static_cast<unsigned>(n);
        }
        return true;
      });
  const auto sent = find(seen.of(Role::sender), "sendmmsg", "memory", "udp");
  CHECK(sent.calls == 2);
  CHECK(sent.bytes == kCount * kDatagram);
  CHECK(find(seen.of(Role::receiver), "recvmmsg", "udp", "memory").bytes == kCount * kDatagram);
  if (seen.grade == Grade::traced) {
    CHECK(seen.of(Role::sender).kernel_copied_bytes == kCount * kDatagram + 2 * kControl);
    CHECK(seen.of(Role::receiver).kernel_copied_bytes == kCount * kDatagram + 2 * kControl);
  }
  CHECK(seen.of(Role::sender).unseen.empty());
}

TEST_CASE("a side with a ring that the kernel copies to says that this is not seen") {
  const UniqueFd packet(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!packet) {
    test::cannot_run(Error{Fault::missing, "no AF_PACKET sockets", "", errno});
  }
  Subject with([] { return true; });
  ::fcntl(packet.get(), F_SETFD, FD_CLOEXEC);
  auto tracer = start(with.pid(), 0);
  const auto seen = tracer->stop();
  REQUIRE(seen);
  CHECK(seen->of(Role::sender).unseen.find("AF_PACKET") != std::string::npos);
  CHECK(seen->of(Role::receiver).unseen.empty());
}
