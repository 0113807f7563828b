// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/channel.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "datapaths/packet/testing/crowd.hpp"
#include "datapaths/packet/testing/loopback.hpp"
#include "datapaths/packet/udp/port.hpp"
#include "datapaths/testing/pair.hpp"

/// Channels over the reliable transport, on kernel UDP sockets and the loopback interface.
namespace waggle::packet {
namespace {

using std::chrono::seconds;
using test::as_bytes;
using test::must;
using test::pattern;
using test::pattern_file;
using test::text_of;

std::unique_ptr<Listener> listen(const ChannelOptions& options = kLoopback) {
  return must(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, options));
}

struct Ends {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Channel> server;
  std::unique_ptr<Channel> client;
};

/// The server's end is created by the handshake, so the client waits for nobody but the listener's thread.
Ends open(const ChannelOptions& options = kLoopback) {
  Ends ends{.listener = listen(options), .server = nullptr, .client = nullptr};
  std::thread accepting([&] { ends.server = *ends.listener->accept(); });
  ends.client = must(must(find_datapath("udp"))->connect(ends.listener->endpoint(), options));
  accepting.join();
  return ends;
}

std::string message_of(Result<Event> event) {
  const Event got = must(std::move(event));
  REQUIRE(got.kind == Event::Kind::message);
  return text_of(got.message);
}

TEST_CASE("messages arrive whole and in order, also long ones") {
  auto ends = open();
  std::string expected;
  for (std::size_t size : {0U, 1U, 1399U, 1400U, 70'000U, 262'144U}) {
    must(ends.client->send(ByteView(pattern(size, size))));
  }
  std::thread flusher([&] { CHECK(ends.client->flush()); });
  for (std::size_t size : {0U, 1U, 1399U, 1400U, 70'000U, 262'144U}) {
    CHECK(message_of(ends.server->next(seconds(5))) == text_of(pattern(size, size)));
  }
  flusher.join();
  CHECK_FALSE(ends.client->send(ByteView(pattern(0, kMaxMessage + 1))));
}

TEST_CASE("nothing comes before the deadline, and closing is no error") {
  auto ends = open();
  CHECK(must(ends.client->next(std::chrono::milliseconds(10))).kind == Event::Kind::nothing);
  std::thread closing([&] { ends.client.reset(); });
  CHECK(must(ends.server->next(seconds(5))).kind == Event::Kind::closed);
  ends.server.reset();
  closing.join();
}

TEST_CASE("an extent goes into a file, into nothing and into view") {
  constexpr std::uint64_t kOffset = 4096;
  constexpr std::uint64_t kLength = 60'000;
  auto ends = open();
  const auto source = pattern_file(1 << 20);
  const auto sink = test::nameless_file();
  ExtentDigester expected(DigestKind::xxh3_128);
  expected.update(pattern(kOffset, kLength));
  const Digest digest = expected.finish();
  for (const auto how : {Incoming::Sink::file, Incoming::Sink::discard, Incoming::Sink::view}) {
    const ExtentId id{static_cast<std::uint32_t>(how) + 1, kOffset, kLength};
    std::thread sender([&] {
      const auto sent = ends.client->send(as_bytes("here it comes"), Outgoing{id, source.get(), nullptr});
      CHECK((sent && sent->valid == kLength));
      CHECK(ends.client->flush());
    });
    ExtentDigester digester(DigestKind::xxh3_128);
    // Expected only when it was announced: its payload may be there already.
    const Event announcement = must(ends.server->next(seconds(5)));
    REQUIRE(announcement.announces);
    CHECK(announcement.announced == id);
    must(ends.server->expect(Incoming{id, how, SharedFd::duplicate(sink.get()), &digester}));
    const Event arrival = must(ends.server->next(seconds(5)));
    REQUIRE(arrival.kind == Event::Kind::extent);
    CHECK(arrival.arrival.id == id);
    CHECK(arrival.arrival.sink);
    if (how == Incoming::Sink::view) {
      CHECK(text_of(arrival.arrival.view) == text_of(pattern(kOffset, kLength)));
    } else {
      CHECK(digester.finish() == digest);
    }
    sender.join();
  }
  std::vector<std::byte> written(kLength);
  REQUIRE(::pread(sink.get(), written.data(), kLength, kOffset) == static_cast<ssize_t>(kLength));
  CHECK(written == pattern(kOffset, kLength));
}

TEST_CASE("a file that has shrunk is told, and the channel goes on") {
  auto ends = open();
  const auto source = pattern_file(100'000);
  REQUIRE(::ftruncate(source.get(), 50'000) == 0);
  const ExtentId id{1, 0, 100'000};
  ExtentDigester digester(DigestKind::xxh3_128);
  must(ends.server->expect(Incoming{id, Incoming::Sink::discard, {}, &digester}));
  std::thread sender([&] {
    const auto sent = ends.client->send(as_bytes("short"), Outgoing{id, source.get(), nullptr});
    CHECK((sent && sent->valid == 50'000));
    CHECK(ends.client->send(as_bytes("and so on")));
    CHECK(ends.client->flush());
  });
  CHECK(message_of(ends.server->next(seconds(5))) == "short");
  CHECK(must(ends.server->next(seconds(5))).kind == Event::Kind::extent);
  CHECK(message_of(ends.server->next(seconds(5))) == "and so on");
  sender.join();
}

TEST_CASE("extents that come once receiving has ended arrive, but nowhere") {
  constexpr std::uint64_t kLength = 100'000;
  auto ends = open();
  const auto source = pattern_file(kLength);
  const bool announced_before = GENERATE(false, true);
  const ExtentId id{1, 0, kLength};
  std::thread sender([&] {
    CHECK(ends.client->send(as_bytes("late"), Outgoing{id, source.get(), nullptr}));
    CHECK(ends.client->send(as_bytes("and so on")));
    CHECK(ends.client->flush());
  });
  if (announced_before) {
    CHECK(message_of(ends.server->next(seconds(5))) == "late");
    must(ends.server->expect(Incoming{id, Incoming::Sink::discard, {}, nullptr}));
  }
  ends.server->end_receiving();
  if (!announced_before) {
    CHECK(message_of(ends.server->next(seconds(5))) == "late");
  }
  const auto refused = ends.server->expect(Incoming{id, Incoming::Sink::discard, {}, nullptr});
  CHECK((!refused && refused.error().fault == Fault::cancelled));
  const Event arrival = must(ends.server->next(seconds(5)));
  REQUIRE(arrival.kind == Event::Kind::extent);
  CHECK(arrival.arrival.id == id);
  CHECK((!arrival.arrival.sink && arrival.arrival.sink.error().fault == Fault::cancelled));
  CHECK(message_of(ends.server->next(seconds(5))) == "and so on");
  sender.join();
}

TEST_CASE("who sends to a peer that has closed in order is told at once") {
  // First: it takes seconds under sanitizers, and silence ends what is closed.
  const auto source = pattern_file(64 << 20);
  auto ends = open();
  std::thread closing([&] { ends.server.reset(); });
  CHECK(must(ends.client->next(seconds(5))).kind == Event::Kind::closed);
  closing.join();
  const Time start = now_ns();
  const auto sent = ends.client->send(as_bytes("late"), Outgoing{{1, 0, 64 << 20}, source.get(), nullptr});
  REQUIRE_FALSE(sent);
  CHECK(sent.error().fault == Fault::peer_gone);
  CHECK(now_ns() - start < 4'000'000'000);  // six seconds without a packet end it otherwise
}

TEST_CASE("an extent may take longer than the longest silence inside it") {
  constexpr std::uint64_t kLength = 1'500'000;
  ChannelOptions slow = kLoopback;
  slow.congestion = "fixed:10Mbit";
  slow.timeout = std::chrono::milliseconds(300);
  auto ends = open(slow);
  const auto source = pattern_file(kLength);
  const ExtentId id{1, 0, kLength};
  ExtentDigester digester(DigestKind::xxh3_128);
  must(ends.server->expect(Incoming{id, Incoming::Sink::discard, {}, &digester}));
  const auto begin = std::chrono::steady_clock::now();
  std::thread sender([&] { CHECK(ends.client->send(as_bytes("slowly"), Outgoing{id, source.get(), nullptr})); });
  CHECK(message_of(ends.server->next(seconds(5))) == "slowly");
  CHECK(must(ends.server->next(seconds(5))).kind == Event::Kind::extent);
  CHECK(std::chrono::steady_clock::now() - begin > 2 * slow.timeout);
  sender.join();
}

TEST_CASE("one port serves 256 clients at the same time") {
  constexpr int kClients = 256;
  constexpr std::uint64_t kLength = 40'000;
  const auto listener = listen();
  const auto source = pattern_file(kLength);
  ExtentDigester expected(DigestKind::xxh3_128);
  expected.update(pattern(0, kLength));
  const Digest digest = expected.finish();

  std::vector<std::thread> serving;
  std::thread accepting([&] {
    for (int i = 0; i < kClients; ++i) {
      auto channel = listener->accept();
      if (!channel) {
        return;
      }
      serving.emplace_back([&source, channel = *std::move(channel)] {
        const auto request = channel->next(seconds(20));
        if (request && request->kind == Event::Kind::message) {
          const auto sent = channel->send(as_bytes("take"), Outgoing{{7, 0, kLength}, source.get(), nullptr});
          static_cast<void>(sent && channel->next(seconds(20)));  // until the client closes
        }
      });
    }
  });
  std::atomic<int> whole{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      auto channel = (*find_datapath("udp"))->connect(listener->endpoint(), kLoopback);
      if (!channel) {
        return;
      }
      ExtentDigester digester(DigestKind::xxh3_128);
      const bool asked = (*channel)->expect(Incoming{{7, 0, kLength}, Incoming::Sink::discard, {}, &digester}) &&
                         (*channel)->send(as_bytes("give"));
      const auto announcement = (*channel)->next(seconds(20));
      const auto arrival = asked && announcement ? (*channel)->next(seconds(20)) : announcement;
      whole += arrival && arrival->kind == Event::Kind::extent && digester.finish() == digest ? 1 : 0;
    });
  }
  for (auto& client : clients) {
    client.join();
  }
  CHECK(whole == kClients);
  listener->abort();
  accepting.join();
  for (auto& thread : serving) {
    thread.join();
  }
}

TEST_CASE("a listener takes the next client as soon as the last one has gone") {
  const auto listener = listen();
  std::thread serving([&] { testing::serve_crowd(*listener, 20); });
  const Time start = now_ns();
  for (int i = 0; i < 20; ++i) {
    must(must(find_datapath("udp"))->connect(listener->endpoint(), kLoopback));
  }
  CHECK(now_ns() - start < 1'000'000'000);
  serving.join();
}

TEST_CASE("an abort ends whoever waits") {
  auto ends = open();
  std::thread waiting([&] {
    const auto event = ends.client->next(seconds(-1));
    CHECK((!event && event.error().fault == Fault::cancelled));
  });
  std::thread accepting([&] {
    const auto channel = ends.listener->accept();
    CHECK((!channel && channel.error().fault == Fault::cancelled));
  });
  ends.client->abort();
  ends.listener->abort();
  waiting.join();
  accepting.join();
}

TEST_CASE("a window that would be spent on acknowledgements alone is refused") {
  ChannelOptions options = kLoopback;
  options.settings["udp.window"] = "3";
  const auto listener = must(find_datapath("udp"))->listen({"127.0.0.1", 0}, options);
  REQUIRE_FALSE(listener);
  CHECK(listener.error().fault == Fault::usage);
  options.settings["udp.window"] = "16";
  CHECK(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, options));
}

TEST_CASE("nobody there is a named timeout") {
  const auto channel = must(find_datapath("udp"))->connect({"127.0.0.1", 9}, kLoopback);
  REQUIRE_FALSE(channel);
  CHECK((channel.error().fault == Fault::timeout || channel.error().fault == Fault::peer_gone));
}

}  // namespace
}  // namespace waggle::packet
