// SPDX-License-Identifier: BSD-2-Clause
#include <linux/tcp.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>
#include <thread>

#include "base/clock.hpp"
#include "base/testing/must.hpp"
#include "datapaths/stream/socket.hpp"
#include "datapaths/stream/tcp.hpp"

#include <sys/mman.h>

namespace waggle::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using test::must;

ChannelOptions options_of(nanoseconds timeout, Wait wait, std::uint64_t receive_buffer) {
  ChannelOptions options;
  options.congestion = "";
  options.receive_buffer = receive_buffer;
  options.wait = wait;
  options.timeout = timeout;
  options.allow_fallback = true;
  return options;
}

/// Somebody who sends as much as fits, to a peer with a small window that reads when it is told to.
class FullSocket {
 public:
  explicit FullSocket(nanoseconds timeout)
      : listening_(must(listen_tcp({"127.0.0.1", 0}, options_of(timeout, Wait::sleep, 16384)))),
        sender_(must(connect_tcp(must(local_endpoint(listening_.get())), options_of(timeout, Wait::spin, 0))).socket),
        reader_(must(accept_tcp(listening_.get(), options_of(timeout, Wait::sleep, 16384))).socket) {
    fill();
  }

  Socket& sender() { return sender_; }

  void fill() {
    const std::array<std::byte, 65536> bytes{};
    while (::send(sender_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
  }
  /// Reads until so many bytes more are acknowledged.
  void read(std::uint64_t bytes) {
    const std::uint64_t enough = acknowledged() + bytes;
    while (acknowledged() < enough) {
      std::array<std::byte, 4096> some;
      static_cast<void>(::recv(reader_.fd(), some.data(), some.size(), MSG_DONTWAIT));
    }
  }

 private:
  std::uint64_t acknowledged() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    REQUIRE(::getsockopt(sender_.fd(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    return info.tcpi_bytes_acked;
  }

  UniqueFd listening_;
  Socket sender_;
  Socket reader_;
};

int would_block() {
  errno = EAGAIN;
  return -1;
}

}  // namespace

TEST_CASE("who acknowledges 4 KiB per time-out is waited for, though a full socket takes nothing", "[slow]") {
  constexpr milliseconds kTimeout{20};
  FullSocket full(kTimeout);
  full.sender().begin_out();
  const std::uint64_t start = now_ns();
  // However slow this machine is, there is a read between any two looks at the clock.
  const auto sent = full.sender().out([&]() -> int {
    full.read(Pace::kLeast);
    full.fill();
    return nanoseconds(now_ns() - start) < 10 * kTimeout ? would_block() : 1;
  });
  CHECK(sent);
}

TEST_CASE("who acknowledges less than 4 KiB per time-out is given up", "[slow]") {
  FullSocket full(milliseconds(20));
  full.sender().begin_out();
  const auto sent = full.sender().out([] { return would_block(); });
  REQUIRE_FALSE(sent);
  CHECK(sent.error().fault == Fault::timeout);
}

TEST_CASE("last words have one time-out, whatever is acknowledged or moved", "[slow]") {
  FullSocket full(milliseconds(20));
  full.sender().finish_out();
  const auto sent = full.sender().out([&]() -> int {
    full.read(Pace::kLeast);
    full.fill();
    full.sender().count_out(2 * Pace::kLeast);
    full.sender().begin_out();
    full.sender().finish_out();
    return would_block();
  });
  REQUIRE_FALSE(sent);
  CHECK(sent.error().fault == Fault::timeout);
}

TEST_CASE("progress is 4 KiB acknowledged since the last look", "[slow]") {
  constexpr std::chrono::hours kTimeout{1};
  Pace pace;
  const auto spent = [&] { return nanoseconds(kTimeout) - pace.left(kTimeout); };
  pace.tick();
  // What was acknowledged before is no progress, but from now on there is something to compare with.
  pace.look(100'000);
  const std::uint64_t looked = now_ns();
  while (now_ns() == looked) {
  }
  const std::uint64_t again = now_ns();
  pace.look(100'000 + Pace::kLeast - 1);
  CHECK(spent() >= nanoseconds(again - looked));
  const std::uint64_t progress = now_ns();
  pace.look(100'000 + Pace::kLeast);
  const nanoseconds since = spent();
  CHECK(since <= nanoseconds(now_ns() - progress));
}

namespace {

/// One mover that sends a large extent, and the socket of whoever reads it.
struct Sending {
  std::string name;
  std::unique_ptr<Channel> channel;
  UniqueFd reader;
  Result<Sent> sent;
  std::jthread thread;
};

UniqueFd connect_reader(const Endpoint& to) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int size = 16384;
  REQUIRE(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
  const sockaddr_in address{.sin_family = AF_INET,
                            .sin_port = htons(to.port),
                            .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                            .sin_zero = {}};
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

/// All movers at once, each with a reader that takes 40 KiB per second. Nothing when this machine could not keep that
/// up.
std::optional<std::vector<std::string>> give_up(nanoseconds timeout) {
  const UniqueFd file(::memfd_create("waggle-test", MFD_CLOEXEC));
  REQUIRE(::ftruncate(file.get(), 8 << 20) == 0);
  std::vector<std::unique_ptr<Sending>> all;
  for (const Datapath* datapath : datapaths()) {
    if (datapath->carrier() != Carrier::stream || !datapath->moves(Side::sender) || !datapath->available()) {
      continue;
    }
    ChannelOptions options = options_of(timeout, Wait::sleep, 0);
    options.send_buffer = 200 * 1024;  // a third of which nobody reads within the time-out
    const auto listener = must(datapath->listen({"127.0.0.1", 0}, options));
    auto sending = std::make_unique<Sending>();
    sending->name = datapath->name();
    sending->reader = connect_reader(listener->endpoint());
    sending->channel = must(listener->accept());
    sending->thread = std::jthread([&file, own = sending.get()] {
      own->sent = own->channel->send({}, Outgoing{{1, 0, 8 << 20}, file.get(), nullptr});
    });
    all.push_back(std::move(sending));
  }
  bool kept_up = true;
  std::uint64_t last = now_ns();
  for (const std::uint64_t start = last; nanoseconds(last - start) < 3 * timeout + timeout / 4;) {
    std::this_thread::sleep_for(milliseconds(50));
    for (const auto& sending : all) {
      std::array<std::byte, 2048> some;
      static_cast<void>(::recv(sending->reader.get(), some.data(), some.size(), MSG_DONTWAIT));
    }
    kept_up = kept_up && nanoseconds(now_ns() - last) < timeout / 3;
    last = now_ns();
  }
  std::vector<std::string> names;
  for (const auto& sending : all) {
    sending->channel->abort();
    sending->thread.join();
    if (sending->sent || sending->sent.error().fault != Fault::cancelled) {
      names.push_back(sending->name + (sending->sent ? ": sent" : ": " + sending->sent.error().text()));
    }
  }
  return kept_up ? std::optional(names) : std::nullopt;
}

}  // namespace

TEST_CASE("no mover gives up a reader that is slow and steady", "[slow]") {
  for (int i = 0; i < 3; ++i) {
    if (const auto gave_up = give_up(milliseconds(1500))) {
      CHECK(*gave_up == std::vector<std::string>{});
      return;
    }
  }
  WARN("this machine is too busy to read steadily");
}

}  // namespace waggle::stream
