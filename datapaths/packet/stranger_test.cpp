// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "datapaths/packet/testing/loopback.hpp"
#include "datapaths/packet/testing/rude_peer.hpp"
#include "datapaths/testing/pair.hpp"

/// What strangers may cost a listener and its friends, on kernel UDP sockets and the loopback interface.
namespace waggle::packet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::as_bytes;
using test::must;
using test::pattern;
using test::pattern_file;
using test::text_of;
using testing::RudePeer;

/// Lets in who says "please", asks "who?" after a "hello", and turns away everybody else.
class Porter final : public Admission {
 public:
  Answer on_message(ByteView message, bool announces) override {
    const std::string said = text_of(message);
    if (said == "please" && !announces) {
      return {Verdict::admit, as_bytes("welcome")};
    }
    if (said == "hello") {
      return {Verdict::wait, as_bytes("who?")};
    }
    return {Verdict::refuse, as_bytes("go away")};
  }
  ByteView refusal(const Error& why) override {
    text_ = why.what;
    return as_bytes(text_);
  }
  const Error& failure() const override { return failure_; }

 private:
  std::string text_;
  Error failure_{Fault::denied, "a stranger was rude", {}};
};

/// A listener with a gate, and a thread that serves whom it lets in: sends back what they say.
class House {
 public:
  explicit House(Gate gate = {}) : gate_(std::move(gate)) {
    listener_ = must(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, kLoopback));
    gate_.admission = [] { return std::make_unique<Porter>(); };
    gate_.refused = [this](const Error& why) {
      const std::scoped_lock lock(mutex_);
      refused_.push_back(why);
    };
    thread_ = std::thread([this] {
      while (auto admitted = listener_->accept(gate_)) {
        guests_.emplace_back([channel = std::move(admitted->channel)] {
          for (;;) {
            const auto event = channel->next(seconds(20));
            if (!event || event->kind != Event::Kind::message) {
              return;
            }
            const std::vector<std::byte> copy(event->message.begin(), event->message.end());
            if (!channel->send(copy) || !channel->flush()) {
              return;
            }
          }
        });
      }
    });
  }
  ~House() {
    listener_->abort();
    thread_.join();
    guests_.clear();
  }
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  Endpoint endpoint() const { return listener_->endpoint(); }
  std::unique_ptr<Channel> knock() const { return must(must(find_datapath("udp"))->connect(endpoint(), kLoopback)); }
  /// Fault of the first one that was turned away, as soon as there is one.
  Fault first_refusal() {
    for (;;) {
      const std::scoped_lock lock(mutex_);
      if (!refused_.empty()) {
        return refused_.front().fault;
      }
      std::this_thread::yield();
    }
  }

 private:
  Gate gate_;
  std::unique_ptr<Listener> listener_;
  std::mutex mutex_;
  std::vector<Error> refused_;
  std::vector<std::jthread> guests_;
  std::thread thread_;
};

std::string ask(Channel& channel, std::string_view message) {
  must(channel.send(as_bytes(message)));
  const Event event = must(channel.next(seconds(5)));
  REQUIRE(event.kind == Event::Kind::message);
  return text_of(event.message);
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST_CASE("who is let in goes on with what it has sent behind its proof") {
  const House house;
  const auto channel = house.knock();
  CHECK(ask(*channel, "hello") == "who?");
  must(channel->send(as_bytes("please")));
  must(channel->send(as_bytes("one")));
  must(channel->send(ByteView(pattern(0, 200'000))));
  must(channel->flush());
  for (const std::string& expected : {std::string("welcome"), std::string("one"), text_of(pattern(0, 200'000))}) {
    const Event event = must(channel->next(seconds(5)));
    REQUIRE(event.kind == Event::Kind::message);
    CHECK(text_of(event.message) == expected);
  }
}

TEST_CASE("who is turned away can read why") {
  House house;
  const auto channel = house.knock();
  SECTION("a message that the gate does not like") {
    CHECK(ask(*channel, "open up!") == "go away");
    CHECK(house.first_refusal() == Fault::denied);
  }
  SECTION("a message that is longer than strangers' may be") {
    must(channel->send(ByteView(pattern(0, kMaxStrangerMessage + 1))));
    CHECK(text_of(must(channel->next(seconds(5))).message).find("4097 bytes") != std::string::npos);
    CHECK(house.first_refusal() == Fault::protocol);
  }
  CHECK(must(channel->next(seconds(5))).kind == Event::Kind::closed);
}

TEST_CASE("there is no room: strangers hear of it before they have said a word") {
  const House house({.room = [] { return Result<>(fail(Fault::busy, "full")); }});
  const auto channel = house.knock();
  CHECK(text_of(must(channel->next(seconds(5))).message) == "full");
  CHECK(must(channel->next(seconds(5))).kind == Event::Kind::closed);
}

TEST_CASE("strangers have a deadline that they cannot move") {
  House house({.patience = milliseconds(200)});
  RudePeer peer(house.endpoint().port);
  REQUIRE(peer.connect(7) == 1);
  std::atomic<bool> over{false};
  std::thread pinging([&] {
    while (!over) {
      peer.send(7, Type::ping);
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  CHECK(house.first_refusal() == Fault::timeout);
  over = true;
  pinging.join();
}

TEST_CASE("of too many strangers the oldest of the address that has most goes") {
  const House house({.most_strangers = 4});
  RudePeer many(house.endpoint().port, 2);
  RudePeer few(house.endpoint().port, 3);
  REQUIRE(few.connect(1) == 1);
  REQUIRE(many.connect(11, 3) == 3);
  REQUIRE(many.connect(14) == 1);
  const auto close = many.await(Type::close);
  REQUIRE(close);
  CHECK(close->header.connection == 11);
  CHECK(load_be<std::uint16_t>(close->bytes.data() + kHeader) == static_cast<std::uint16_t>(CloseCode::busy));
  // The one who came first of all, from elsewhere, still has its place.
  few.say(1, as_bytes("please"));
  CHECK(few.await(Type::message));
  few.close(1);
}

TEST_CASE("a crowd of strangers keeps nobody waiting and costs little") {
  constexpr std::size_t kEach = 400;
  const House house({.most_strangers = 2000});
  RudePeer crowd(house.endpoint().port, 9);
  CHECK(ask(*house.knock(), "please") == "welcome");  // what is needed once is there
  const std::uint64_t before = resident_bytes();
  // Silent; hello and silence; never acknowledging; takes no message.
  REQUIRE(crowd.connect(1000, kEach) == kEach);
  REQUIRE(crowd.connect(2000, kEach) == kEach);
  REQUIRE(crowd.connect(3000, kEach) == kEach);
  REQUIRE(crowd.connect(4000, kEach, {1472, 100, 0}) == kEach);
  for (std::uint64_t id = 0; id < kEach; ++id) {
    crowd.say(2000 + id, as_bytes("hello"));
    crowd.send(3000 + id, Type::ping);
    crowd.say(4000 + id, as_bytes("hello"));
  }
  const Time start = now_ns();
  CHECK(ask(*house.knock(), "please") == "welcome");
  const Time took = now_ns() - start;
  const std::uint64_t each = (resident_bytes() - before) / (4 * kEach);
  std::printf("beside %zu strangers of %llu bytes each, a friend gets in within %.1f ms\n", 4 * kEach,
              static_cast<unsigned long long>(each), static_cast<double>(took) / 1e6);
  CHECK(took < 2'000'000'000);
#if !defined(WAGGLE_SANITIZED)
  CHECK(each < 16 * 1024);
#endif
}

/// A connection to somebody who was let in and does nothing but prove that he is alive.
struct Nuisance {
  explicit Nuisance(const Terms& terms) {
    ChannelOptions options = kLoopback;
    options.timeout = milliseconds(300);
    listener = must(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, options));
    std::thread accepting([&] { channel = must(listener->accept()); });
    peer.emplace(listener->endpoint().port);
    CHECK(peer->connect(7, 1, terms) == 1);
    accepting.join();
    pinging = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        peer->send(7, Type::ping);
        std::this_thread::sleep_for(milliseconds(20));
      }
    });
  }
  ~Nuisance() { peer->close(7); }
  Nuisance(const Nuisance&) = delete;
  Nuisance& operator=(const Nuisance&) = delete;
  /// What the peer is told in the end.
  CloseCode close_code() {
    pinging.request_stop();
    pinging.join();
    const auto close = peer->await(Type::close);
    return close ? static_cast<CloseCode>(load_be<std::uint16_t>(close->bytes.data() + kHeader)) : CloseCode::done;
  }

  std::unique_ptr<Listener> listener;
  std::unique_ptr<Channel> channel;
  std::optional<RudePeer> peer;
  std::jthread pinging;
};

TEST_CASE("a peer that only pings holds nobody for ever") {
  SECTION("it takes no messages") {
    Nuisance nuisance({1472, 100, 0});
    must(nuisance.channel->send(as_bytes("anybody?")));
    const auto flushed = nuisance.channel->flush();
    REQUIRE_FALSE(flushed);
    CHECK(flushed.error().fault == Fault::timeout);
    CHECK(flushed.error().what.find("has not taken what was sent") != std::string::npos);
    CHECK(nuisance.close_code() == CloseCode::timeout);
  }
  SECTION("it takes no messages, and the next request is waited for") {
    Nuisance nuisance({1472, 100, 0});
    must(nuisance.channel->send(as_bytes("anybody?")));
    const auto event = nuisance.channel->next(seconds(-1));
    REQUIRE_FALSE(event);
    CHECK(event.error().fault == Fault::timeout);
  }
  SECTION("it acknowledges nothing of a message queue") {
    Nuisance nuisance({1472, 1 << 14, kMessageWindow});
    const auto message = pattern(0, kMaxMessage);
    Result<> sent;
    for (int i = 0; i < 3 && sent; ++i) {
      sent = nuisance.channel->send(ByteView(message));
    }
    REQUIRE_FALSE(sent);
    CHECK(sent.error().fault == Fault::timeout);
  }
  SECTION("it acknowledges nothing of an extent") {
    Nuisance nuisance({1472, 1 << 14, kMessageWindow});
    const auto source = pattern_file(1 << 20);
    const auto sent = nuisance.channel->send(as_bytes("take"), Outgoing{{1, 0, 1 << 20}, source.get(), nullptr});
    REQUIRE_FALSE(sent);
    CHECK(sent.error().fault == Fault::timeout);
    CHECK(nuisance.close_code() == CloseCode::timeout);
  }
  SECTION("it stops in the middle of a message") {
    Nuisance nuisance({1472, 100, kMessageWindow});
    nuisance.peer->say(7, ByteView(pattern(0, 100)), 50);
    const auto event = nuisance.channel->next(seconds(-1));
    REQUIRE_FALSE(event);
    CHECK(event.error().fault == Fault::timeout);
    CHECK(event.error().what.find("in the middle of a message") != std::string::npos);
  }
}

TEST_CASE("a message that comes steadily is waited for, however little of it came first") {
  ChannelOptions options = kLoopback;
  options.timeout = seconds(1);
  const auto listener = must(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, options));
  std::unique_ptr<Channel> channel;
  std::thread accepting([&] { channel = must(listener->accept()); });
  RudePeer peer(listener->endpoint().port);
  REQUIRE(peer.connect(7) == 1);
  accepting.join();
  constexpr std::size_t kPart = 1000;
  constexpr std::size_t kFront = 3;  // of the header, which does not tell how long the message is
  std::vector<std::byte> body(8 + MessageFrame::kShort + 125 * kPart);
  store_be(body.data() + 8, static_cast<std::uint32_t>(125 * kPart));
  const auto piece = [&](std::uint64_t offset, std::size_t length) {
    std::vector<std::byte> part(body.begin() + 8 + static_cast<std::ptrdiff_t>(offset), body.end());
    part.resize(std::min(length, part.size()));
    part.insert(part.begin(), 8, std::byte{0});
    store_be(part.data(), offset);
    peer.send(7, Type::message, part);
  };
  piece(0, kFront);
  CHECK(must(channel->next(milliseconds(20))).kind == Event::Kind::nothing);
  std::thread sending([&] {
    int parts = 0;
    for (std::size_t offset = kFront; offset < body.size() - 8; offset += kPart) {
      piece(offset, kPart);
      if (++parts % 5 == 0) {
        std::this_thread::sleep_for(milliseconds(50));
      }
    }
  });
  const auto event = channel->next(seconds(-1));
  sending.join();
  REQUIRE(event);
  CHECK(event->message.size() == 125 * kPart);
  peer.close(7);
}

TEST_CASE("a peer whose connection was broken off is never told that it ended in order") {
  const auto listener = must(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, kLoopback));
  std::thread serving([&] {
    must(listener->accept())->abort();
    CHECK_FALSE(listener->accept());
  });
  RudePeer peer(listener->endpoint().port);
  REQUIRE(peer.connect(7) == 1);
  for (int i = 0; i < 2; ++i) {
    const auto close = peer.await(Type::close);
    REQUIRE(close);
    CHECK(load_be<std::uint16_t>(close->bytes.data() + kHeader) == static_cast<std::uint16_t>(CloseCode::failed));
    peer.send(7, Type::ping, as_bytes("long enough for an answer"));
  }
  listener->abort();
  serving.join();
}

TEST_CASE("a channel whose peer acknowledges nothing goes at once") {
  Nuisance nuisance({1472, 100, kMessageWindow});
  must(nuisance.channel->send(as_bytes("farewell")));
  const Time start = now_ns();
  nuisance.channel.reset();
  CHECK(now_ns() - start < 1'000'000'000);  // the goodbye alone takes more than two seconds
}

TEST_CASE("a connect that is called off ends") {
  const UniqueFd deaf(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  REQUIRE(::bind(deaf.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  socklen_t size = sizeof at;
  REQUIRE(::getsockname(deaf.get(), reinterpret_cast<sockaddr*>(&at), &size) == 0);
  std::stop_source stop;
  ChannelOptions options = kLoopback;
  options.cancel = stop.get_token();
  std::thread calling_off([&] {
    std::array<std::byte, 2048> hello;
    static_cast<void>(::recv(deaf.get(), hello.data(), hello.size(), 0));
    stop.request_stop();
  });
  const auto channel = must(find_datapath("udp"))->connect({"127.0.0.1", ntohs(at.sin_port)}, options);
  REQUIRE_FALSE(channel);
  CHECK(channel.error().fault == Fault::cancelled);
  calling_off.join();
}

}  // namespace
}  // namespace waggle::packet
