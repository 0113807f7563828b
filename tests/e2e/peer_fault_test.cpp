// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/e2e/faults.hpp"

// What can go wrong with the other side while an extent moves, for every mover: always an error by name, and nothing
// stays behind.

namespace waggle::test {

TEST_CASE("a peer that closes within an extent is reported with what arrived") {
  for (const auto& receiver : movers(Side::receiver)) {
    INFO(receiver);
    const HalfSent half(receiver);
    ::shutdown(half.peer.socket.fd(), SHUT_WR);
    const auto event = half.peer.channel->next(kPatience);
    REQUIRE_FALSE(event);
    CHECK(event.error().fault == Fault::peer_gone);
    CHECK(event.error().text().find(fmt::format("after {} of {} bytes", HalfSent::kSent, kLong)) != std::string::npos);
    // A mapping needs a file that is long enough before anything arrives; what has grown by then stays.
    const std::uint64_t size = size_of(half.target.get());
    CHECK(size <= (receiver == "mmap" ? kLong : HalfSent::kSent));
    CHECK(same_content(half.target.get(), pattern_file(HalfSent::kSent).get(), 0, std::min(size, HalfSent::kSent)));
    CHECK_FALSE(half.peer.channel->next(kPatience));
  }
}

TEST_CASE("a receiver that vanishes ends the sender with an error and no signal") {
  for (const auto& sender : movers(Side::sender)) {
    INFO(sender);
    const UniqueFd source = pattern_file(kLong);
    Pair pair = connect_pair(sender, "read_write", small_buffers());
    auto sending = send_later(*pair.sender, source.get(), kLong);
    CHECK(next_message(*pair.receiver).announces);
    pair.receiver.reset();
    const auto sent = sending.get();
    REQUIRE_FALSE(sent);
    CHECK(sent.error().fault == Fault::peer_gone);
    CHECK_FALSE(pair.sender->send(as_bytes("anybody?")));
  }
}

TEST_CASE("a peer that falls silent within an extent is a time-out") {
  ChannelOptions options = small_buffers();
  options.timeout = std::chrono::milliseconds(150);
  for (const Wait wait : {Wait::sleep, Wait::spin}) {
    options.wait = wait;
    for (const auto& receiver : movers(Side::receiver)) {
      INFO(receiver << (wait == Wait::spin ? ", spinning" : ""));
      const HalfSent half(receiver, options);
      const auto event = half.peer.channel->next(kPatience);
      REQUIRE_FALSE(event);
      CHECK(event.error().fault == Fault::timeout);
      CHECK(event.error().text().find(fmt::format("after {} of", HalfSent::kSent)) != std::string::npos);
    }
    for (const auto& sender : movers(Side::sender)) {
      INFO(sender << (wait == Wait::spin ? ", spinning" : ""));
      const UniqueFd source = pattern_file(kLong);
      Pair pair = connect_pair(sender, "read_write", options);
      const auto sent = pair.sender->send(as_bytes("x"), {{7, 0, kLong}, source.get()});
      REQUIRE_FALSE(sent);
      CHECK(sent.error().fault == Fault::timeout);
    }
  }
}

TEST_CASE("a peer that trickles within an extent or a message is a time-out") {
  ChannelOptions options;
  options.timeout = std::chrono::milliseconds(60);
  const auto fault_of = [&](RawPeer& peer, const auto& receive) {
    std::atomic<bool> done = false;
    std::thread trickle([&] {
      for (int i = 0; i < 200 && !done; ++i) {
        static_cast<void>(peer.socket.send(as_bytes("x")));
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      ::shutdown(peer.socket.fd(), SHUT_WR);  // it was let go on
    });
    const auto event = receive();
    done = true;
    trickle.join();
    REQUIRE_FALSE(event);
    return event.error().fault;
  };
  for (const Wait wait : {Wait::sleep, Wait::spin}) {
    options.wait = wait;
    for (const auto& receiver : movers(Side::receiver)) {
      INFO(receiver << (wait == Wait::spin ? ", spinning" : ""));
      HalfSent half(receiver, options);
      CHECK(fault_of(half.peer, [&] { return half.peer.channel->next(kPatience); }) == Fault::timeout);
    }
    RawPeer dropped = raw_peer("sendfile", "splice", options);
    send_part(dropped.socket, kLong, HalfSent::kSent);
    CHECK(next_message(*dropped.channel).announces);
    must(dropped.channel->expect({{7, 0, kLong}, Incoming::Sink::discard, {}, nullptr}));
    CHECK(fault_of(dropped, [&] { return dropped.channel->next(kPatience); }) == Fault::timeout);

    RawPeer message = raw_peer("sendfile", "splice", options);
    must(message.socket.send(stream::encode({kMaxMessage, false, {}})));
    CHECK(fault_of(message, [&] { return message.channel->next(kPatience); }) == Fault::timeout);
  }
}

TEST_CASE("another thread can end a transfer, both ways") {
  for (const auto& sender : movers(Side::sender)) {
    INFO(sender);
    const UniqueFd source = pattern_file(kLong);
    Pair pair = connect_pair(sender, "read_write", small_buffers());
    auto sending = send_later(*pair.sender, source.get(), kLong);
    CHECK(next_message(*pair.receiver).announces);
    pair.sender->abort();
    const auto sent = sending.get();
    REQUIRE_FALSE(sent);
    CHECK(sent.error().fault == Fault::cancelled);
  }
  for (const auto& receiver : movers(Side::receiver)) {
    INFO(receiver);
    Progress progress;
    HalfSent half(receiver);
    half.digest.observe(&progress);
    auto receiving = std::async(std::launch::async, [&] { return half.peer.channel->next(kPatience).error().fault; });
    while (progress.bytes.load() < HalfSent::kSent) {
      std::this_thread::yield();
    }
    half.peer.channel->abort();
    CHECK(receiving.get() == Fault::cancelled);
  }
}

TEST_CASE("no failure leaves a descriptor open") {
  // After all others: whatever they leaked would have been seen by now as growth.
  const std::size_t before = open_descriptors();
  for (const auto& sender : movers(Side::sender)) {
    for (const auto& receiver : movers(Side::receiver)) {
      const UniqueFd source = pattern_file(1 << 20);
      Pair pair = connect_pair(sender, receiver, small_buffers());
      auto sending = send_later(*pair.sender, source.get(), 1 << 20);
      static_cast<void>(pair.receiver->next(kPatience));
      pair.receiver.reset();
      static_cast<void>(sending.get());
    }
  }
  CHECK(open_descriptors() == before);
}

}  // namespace waggle::test
