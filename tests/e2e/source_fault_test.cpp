// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "tests/e2e/faults.hpp"

// What can go wrong with a source while an extent moves, for every sender: always an error by name, and both sides
// still agree on where they are.

namespace waggle::test {

TEST_CASE("a file that shrinks while it is sent is reported and filled up") {
  for (const auto& sender : movers(Side::sender)) {
    for (const std::uint64_t left : {kLong / 2, kLong / 2 + 123, kLong - 100}) {
      INFO(sender << ", " << left << " bytes left");
      const UniqueFd source = pattern_file(kLong);
      const UniqueFd whole = pattern_file(kLong);
      Pair pair = connect_pair(sender, "read_write", small_buffers());
      auto sending = send_later(*pair.sender, source.get(), kLong);
      CHECK(next_message(*pair.receiver).announces);
      REQUIRE(::ftruncate(source.get(), static_cast<off_t>(left)) == 0);

      const UniqueFd target = nameless_file();
      ExtentDigester digest(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
      CHECK(next_arrival(*pair.receiver).sink);
      const Sent sent = must(sending.get());
      CHECK(sent.valid == left);
      REQUIRE_FALSE(sent.source);
      CHECK(sent.source.error().fault == Fault::changed);
      CHECK(size_of(target.get()) == kLong);
      CHECK(same_content(target.get(), whole.get(), 0, sent.valid));
      check_in_step(pair);
    }
  }
}

TEST_CASE("a file that shrinks while it is sent and digested is no longer afterwards") {
  for (const auto& sender : movers(Side::sender)) {
    constexpr std::uint64_t kLeft = 1U << 20;
    INFO(sender);
    const UniqueFd source = pattern_file(kLong);
    Pair pair = connect_pair(sender, "read_write", small_buffers());
    ExtentDigester tap(DigestKind::xxh3_128);
    auto sending = std::async(std::launch::async, [&] {
      auto sent = pair.sender->send(as_bytes("x"), {{7, 0, kLong}, source.get(), &tap});
      static_cast<void>(pair.sender->flush());
      return sent;
    });
    ExtentDigester digest(DigestKind::xxh3_128);
    Progress progress;
    digest.observe(&progress);
    must(pair.receiver->expect({{7, 0, kLong}, Incoming::Sink::discard, {}, &digest}));
    CHECK(next_message(*pair.receiver).announces);
    auto receiving = std::async(std::launch::async, [&] { return pair.receiver->next(kPatience); });
    while (progress.bytes.load() < 2 * kLeft) {
      std::this_thread::yield();
    }
    REQUIRE(::ftruncate(source.get(), kLeft) == 0);
    CHECK(must(receiving.get()).arrival.sink);
    const Sent sent = must(sending.get());
    if (!sent.source && (sender == "mmap" || sender == "zerocopy")) {
      CHECK(sent.valid <= kLeft);
    }
    check_in_step(pair);
  }
}

TEST_CASE("each byte is digested once by its sender, however the socket fills up") {
  constexpr std::uint64_t kShort = 4U << 20;
  for (const Wait wait : {Wait::sleep, Wait::spin}) {
    for (const auto& sender : movers(Side::sender)) {
      INFO(sender << (wait == Wait::spin ? ", spinning" : ""));
      ChannelOptions options = small_buffers();
      options.wait = wait;
      const UniqueFd source = pattern_file(kShort);
      Pair pair = connect_pair(sender, "read_write", options);
      ExtentDigester tap(DigestKind::xxh3_128);
      auto sending = std::async(std::launch::async,
                                [&] { return pair.sender->send(as_bytes("x"), {{7, 0, kShort}, source.get(), &tap}); });
      ExtentDigester digest(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, kShort}, Incoming::Sink::discard, {}, &digest}));
      CHECK(next_message(*pair.receiver).announces);
      CHECK(next_arrival(*pair.receiver).sink);
      CHECK(must(sending.get()).valid == kShort);
      CHECK((tap.bytes() == 0 || tap.bytes() == kShort));
      CHECK((tap.bytes() == 0 || tap.finish() == digest.finish()));
    }
  }
}

TEST_CASE("a file that is shorter than announced is reported and filled up, with a digest too") {
  for (const auto& sender : movers(Side::sender)) {
    for (const std::uint64_t length : {std::uint64_t{5000}, std::uint64_t{5} << 20}) {
      INFO(sender << ", " << length);
      const UniqueFd source = pattern_file(1000);
      Pair pair = connect_pair(sender, "read_write");
      ExtentDigester tap(DigestKind::xxh3_128);
      auto sending = std::async(std::launch::async, [&] {
        auto sent = pair.sender->send(as_bytes("x"), {{7, 0, length}, source.get(), &tap});
        static_cast<void>(pair.sender->flush());
        return sent;
      });
      ExtentDigester digest(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, length}, Incoming::Sink::discard, {}, &digest}));
      CHECK(next_message(*pair.receiver).announces);
      CHECK(next_arrival(*pair.receiver).sink);
      CHECK(digest.bytes() == length);
      const Sent sent = must(sending.get());
      CHECK(sent.valid <= 1000);
      REQUIRE_FALSE(sent.source);
      CHECK(sent.source.error().fault == Fault::changed);
      check_in_step(pair);
    }
  }
}

TEST_CASE("a file that cannot be read is reported, and the connection goes on") {
  for (const auto& sender : movers(Side::sender)) {
    for (const std::uint64_t length : {std::uint64_t{1000}, std::uint64_t{1} << 20}) {
      INFO(sender << ", " << length);
      const UniqueFd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      Pair pair = connect_pair(sender, "read_write");
      auto sending = send_later(*pair.sender, directory.get(), length);
      ExtentDigester digest(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, length}, Incoming::Sink::discard, {}, &digest}));
      CHECK(next_message(*pair.receiver).announces);
      CHECK(next_arrival(*pair.receiver).sink);
      const Sent sent = must(sending.get());
      CHECK(sent.valid == 0);
      CHECK_FALSE(sent.source);
      check_in_step(pair);
    }
  }
}

}  // namespace waggle::test
