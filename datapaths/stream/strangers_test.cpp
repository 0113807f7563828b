// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/strangers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "base/testing/must.hpp"
#include "datapaths/stream/frame.hpp"
#include "datapaths/stream/tcp.hpp"

namespace waggle::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::must;

ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string frame(const std::string& message) {
  return text_of(encode({static_cast<std::uint32_t>(message.size()), false, {}})) + message;
}

/// "hello" is answered by "and you?", "friend" lets in with "welcome", anything else is refused.
class Password final : public Admission {
 public:
  Answer on_message(ByteView message, bool announces) override {
    const std::string said = text_of(message);
    if (said == "hello" && !announces) {
      return {Verdict::wait, as_bytes("and you?")};
    }
    if (said == "friend") {
      return {Verdict::admit, as_bytes("welcome")};
    }
    return {Verdict::refuse, refusal(failure_)};
  }
  ByteView refusal(const Error& why) override {
    said_ = std::string(name(why.fault));
    return as_bytes(said_);
  }
  const Error& failure() const override { return failure_; }

 private:
  Error failure_{Fault::denied, "no friend", {}, 0};
  std::string said_;
};

/// A listener in a thread of its own, and the faults for which it turned peers away.
class Door {
 public:
  explicit Door(Gate gate = {}, const std::string& mover = "read_write", const ChannelOptions& options = {})
      : gate_(std::move(gate)), listener_(must(must(find_datapath(mover))->listen({"127.0.0.1", 0}, options))) {
    gate_.admission = [] { return std::make_unique<Password>(); };
    thread_ = std::jthread([this] {
      for (;;) {
        auto admitted = listener_->accept(gate_);
        if (!admitted) {
          end_ = admitted.error();
          return;
        }
        const std::lock_guard lock(mutex_);
        channels_.push_back(std::move(admitted->channel));
        count_.store(channels_.size());
      }
    });
  }
  ~Door() { close(); }

  Error close() {
    listener_->abort();
    if (thread_.joinable()) {
      thread_.join();
    }
    return end_;
  }
  Socket knock() const { return std::move(must(connect_tcp(listener_->endpoint(), ChannelOptions{})).socket); }
  /// All of 127.0.0.0/8 are addresses of this machine.
  Socket knock_from(const char* address) const {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto at = [](const char* host, std::uint16_t port) {
      return sockaddr_in{
          .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {::inet_addr(host)}, .sin_zero = {}};
    };
    const auto from = at(address, 0);
    const auto to = at("127.0.0.1", listener_->endpoint().port);
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0);
    REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    return must(Socket::adopt(std::move(fd), Wait::sleep, seconds(10)));
  }
  std::size_t admitted() const { return count_.load(); }
  Channel& channel(std::size_t i) {
    while (admitted() <= i) {
      std::this_thread::yield();
    }
    const std::lock_guard lock(mutex_);
    return *channels_[i];
  }

 private:
  Gate gate_;
  std::unique_ptr<Listener> listener_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::atomic<std::size_t> count_{0};
  Error end_;
  std::jthread thread_;
};

/// All that the peer says until it closes.
std::string all_of(Socket& peer) {
  std::string all;
  std::array<std::byte, 4096> bytes;
  for (;;) {
    const auto got = must(peer.receive_idle(bytes, seconds(10)));
    if (!got || *got == 0) {
      return got ? all : all + " and no end";
    }
    all += text_of(ByteView(bytes).first(*got));
  }
}

void say(Socket& peer, const std::string& bytes) {
  REQUIRE(peer.send(as_bytes(bytes)));
}

std::string next_frame(Socket& peer, const std::string& expected) {
  std::string bytes(frame(expected).size(), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    done += must(peer.receive(std::as_writable_bytes(std::span(bytes)).subspan(done)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("who knows the way is let in, and what was said behind the proof is kept", "[strangers]") {
  const Wait wait = GENERATE(Wait::sleep, Wait::spin);
  ChannelOptions options;
  options.wait = wait;
  Door door({}, "read_write", options);
  Socket peer = door.knock();
  say(peer, frame("hello"));
  CHECK(next_frame(peer, "and you?") == frame("and you?"));
  say(peer, frame("friend") + frame("first") + frame("second"));
  CHECK(next_frame(peer, "welcome") == frame("welcome"));
  Channel& channel = door.channel(0);
  CHECK(text_of(must(channel.next(seconds(10))).message) == "first");
  CHECK(text_of(must(channel.next(seconds(10))).message) == "second");
  REQUIRE(channel.send(as_bytes("third")));
  REQUIRE(channel.flush());
  CHECK(next_frame(peer, "third") == frame("third"));
  CHECK(door.close().fault == Fault::cancelled);
}

TEST_CASE("a byte at a time is heard like all at once", "[strangers]") {
  Door door;
  Socket peer = door.knock();
  for (const char byte : frame("hello") + frame("friend")) {
    say(peer, std::string(1, byte));
  }
  CHECK(next_frame(peer, "and you?") == frame("and you?"));
  CHECK(next_frame(peer, "welcome") == frame("welcome"));
}

TEST_CASE("who breaks the framing or says the wrong thing hears why before the end", "[strangers]") {
  Door door;
  const std::string good = frame("hello");
  const auto with = [&](std::size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return bytes;
  };
  const auto [bytes, why] = GENERATE_COPY(table<std::string, std::string>({
      {"GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n", "protocol"},
      {with(2, 9), "protocol"},                                // version
      {with(3, 2), "protocol"},                                // flags
      {with(12, 1), "protocol"},                               // reserved
      {with(4, 127), "protocol"},                              // 2 GB
      {text_of(encode({256 * 1024, false, {}})), "protocol"},  // legal, but not yet
      {text_of(encode({kMaxStrangerMessage + 1, false, {}})), "protocol"},
      {text_of(encode({5, true, {1, 0, 100}})) + "hello", "denied"},  // payload
      {frame("foe"), "denied"},
  }));
  Socket peer = door.knock();
  say(peer, bytes + std::string(20'000, 'x'));  // what it says besides must not reset what it hears
  CHECK(all_of(peer) == frame(why));
}

TEST_CASE("patience has an end that no byte moves", "[strangers]") {
  Gate gate;
  gate.patience = milliseconds(150);
  Door door(std::move(gate));
  Socket silent = door.knock();
  Socket slow = door.knock();
  say(slow, frame("hello") + "W");  // and never the rest
  CHECK(all_of(silent) == frame("timeout"));
  CHECK(all_of(slow) == frame("and you?") + frame("timeout"));
  CHECK(door.admitted() == 0);
}

TEST_CASE("strangers in excess make place for new ones, the oldest first", "[strangers]") {
  Gate gate;
  gate.most_strangers = 3;
  std::atomic<int> refused{0};
  gate.refused = [&](const Error& why) { refused += why.fault == Fault::busy ? 1 : 100; };
  Door door(std::move(gate));
  std::vector<Socket> silent;
  for (int i = 0; i < 5; ++i) {
    silent.push_back(door.knock());
  }
  Socket peer = door.knock();
  say(peer, frame("hello") + frame("friend"));
  CHECK(next_frame(peer, "and you?") == frame("and you?"));
  CHECK(next_frame(peer, "welcome") == frame("welcome"));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(all_of(silent[i]) == frame("busy"));
  }
  CHECK(refused == 3);
  say(silent[4], frame("hello"));
  CHECK(next_frame(silent[4], "and you?") == frame("and you?"));
}

TEST_CASE("the address with most strangers loses one, not the one that comes last", "[strangers]") {
  Gate gate;
  gate.most_strangers = 3;
  Door door(std::move(gate));
  Socket first = door.knock();
  Socket alone = door.knock_from("127.0.0.2");
  Socket second = door.knock();
  Socket third = door.knock();
  CHECK(all_of(first) == frame("busy"));
  say(alone, frame("hello"));
  CHECK(next_frame(alone, "and you?") == frame("and you?"));
}

TEST_CASE("of addresses with as many strangers the one that waits longest loses its own", "[strangers]") {
  Gate gate;
  gate.most_strangers = 2;
  Door door(std::move(gate));
  Socket oldest = door.knock_from("127.0.0.3");
  Socket older = door.knock_from("127.0.0.4");
  Socket last = door.knock_from("127.0.0.2");
  CHECK(all_of(oldest) == frame("busy"));
  say(last, frame("hello") + frame("friend"));
  CHECK(next_frame(last, "and you?") == frame("and you?"));
  CHECK(next_frame(last, "welcome") == frame("welcome"));
  say(older, frame("hello"));
  CHECK(next_frame(older, "and you?") == frame("and you?"));
}

TEST_CASE("those who were turned away have half as many descriptors as strangers", "[strangers]") {
  const auto open_files = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  Gate gate;
  gate.most_strangers = 2;
  gate.room = [] { return fail(Fault::busy, "full"); };
  Door door(std::move(gate));
  constexpr int kRefused = 40;
  const auto before = open_files();
  std::vector<Socket> refused;
  for (int i = 0; i < kRefused; ++i) {
    refused.push_back(door.knock());
    CHECK(all_of(refused.back()) == frame("busy"));
  }
  // Their own ends, which they do not close, the door's of one, and that of the last while it is turned away.
  CHECK(open_files() - before <= kRefused + 2);
}

TEST_CASE("who comes to a full house hears so at once", "[strangers]") {
  Gate gate;
  gate.room = [] { return fail(Fault::busy, "full"); };
  Door door(std::move(gate));
  Socket peer = door.knock();
  CHECK(all_of(peer) == frame("busy"));
}

}  // namespace waggle::stream
