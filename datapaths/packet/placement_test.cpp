// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>

#include <catch2/catch.hpp>
#include <thread>

#include "datapaths/testing/pair.hpp"

/// Which file payload goes into when its place is ambiguous: a descriptor that is used again, an expectation that there
/// is twice. On kernel UDP sockets and the loopback interface.
namespace waggle::packet {
namespace {

using test::as_bytes;
using test::kPatience;
using test::must;
using test::next_arrival;
using test::next_message;

constexpr std::uint64_t kLength = 50'000;
constexpr ExtentId kPlace{7, 0, kLength};

/// Connections of one client each to one listener, and so over one port at the server's end.
struct Shared {
  explicit Shared(std::size_t count) {
    const ChannelOptions options{.link = "loopback"};
    listener = must(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, options));
    for (std::size_t i = 0; i < count; ++i) {
      std::thread accepting([&] { servers.push_back(must(listener->accept())); });
      clients.push_back(must(must(find_datapath("udp"))->connect(listener->endpoint(), options)));
      accepting.join();
    }
  }
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Channel>> servers;
  std::vector<std::unique_ptr<Channel>> clients;
};

UniqueFd filled(char with) {
  UniqueFd file = test::nameless_file();
  const std::string bytes(kLength, with);
  REQUIRE(::pwrite(file.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return file;
}

std::string content(int file) {
  std::string bytes(kLength + 1, '?');
  const ssize_t got = ::pread(file, bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

void send(Channel& channel, int file) {
  CHECK(channel.send(as_bytes("payload"), Outgoing{kPlace, file, nullptr}));
  CHECK(channel.flush());
}

TEST_CASE("a descriptor that another connection uses again gets none of the first one's payload") {
  Shared shared(2);
  const UniqueFd ours = filled('a');
  const UniqueFd theirs = filled('b');
  ExtentDigester first(DigestKind::xxh3_128);
  ExtentDigester second(DigestKind::xxh3_128);
  UniqueFd file = test::nameless_file();
  const int number = file.get();
  must(shared.servers[0]->expect({kPlace, Incoming::Sink::file, SharedFd(std::move(file)), &first}));
  shared.servers[0]->end_receiving();
  REQUIRE(::fcntl(number, F_GETFD) < 0);
  UniqueFd again = test::nameless_file();
  if (again.get() != number) {
    REQUIRE(::dup3(again.get(), number, O_CLOEXEC) == number);
    again.reset(number);
  }
  const SharedFd kept(std::move(again));
  must(shared.servers[1]->expect({kPlace, Incoming::Sink::file, kept, &second}));

  std::thread late([&] { send(*shared.clients[0], ours.get()); });
  CHECK(next_message(*shared.servers[0]).announces);
  const Arrival dropped = next_arrival(*shared.servers[0]);
  CHECK((!dropped.sink && dropped.sink.error().fault == Fault::cancelled));
  late.join();
  CHECK(content(number).empty());

  std::thread in_time([&] { send(*shared.clients[1], theirs.get()); });
  CHECK(next_message(*shared.servers[1]).announces);
  CHECK(next_arrival(*shared.servers[1]).sink);
  in_time.join();
  CHECK(content(number) == std::string(kLength, 'b'));
}

TEST_CASE("of two expectations of one place the first gets what comes first") {
  const bool early = GENERATE(false, true);  // the payload comes before its announcement is read
  CAPTURE(early);
  Shared shared(1);
  Channel& server = *shared.servers[0];
  const UniqueFd one = filled('1');
  const UniqueFd two = filled('2');
  const SharedFd first(test::nameless_file());
  const SharedFd second(test::nameless_file());
  ExtentDigester digests[] = {ExtentDigester(DigestKind::xxh3_128), ExtentDigester(DigestKind::xxh3_128)};
  must(server.expect({kPlace, Incoming::Sink::file, first, &digests[0]}));
  must(server.expect({kPlace, Incoming::Sink::file, second, &digests[1]}));
  std::thread sending([&] {
    send(*shared.clients[0], one.get());
    send(*shared.clients[0], two.get());
  });
  if (early) {
    // Looks at what comes without taking the announcement.
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    while (std::chrono::steady_clock::now() < end) {
      must(server.flush());
    }
  }
  for (int i = 0; i < 2; ++i) {
    CHECK(next_message(server).announces);
    CHECK(next_arrival(server).sink);
  }
  sending.join();
  CHECK(content(first.get()) == std::string(kLength, '1'));
  CHECK(content(second.get()) == std::string(kLength, '2'));
}

}  // namespace
}  // namespace waggle::packet
