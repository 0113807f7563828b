// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/channel.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "datapaths/stream/testing/ends.hpp"

namespace waggle::stream::testing {

TEST_CASE("messages leave together when somebody waits, not before") {
  Ends ends = open();
  must(ends.channel->send(as_bytes("one")));
  must(ends.channel->send(as_bytes("")));
  must(ends.channel->send(as_bytes("three")));
  std::byte early[1];
  CHECK_FALSE(must(ends.peer.receive_idle(early, milliseconds(0))).has_value());
  CHECK(must(ends.channel->next(milliseconds(0))).kind == Event::Kind::nothing);
  std::string bytes(1000, '\0');
  const auto got = must(ends.peer.receive(std::as_writable_bytes(std::span(bytes))));
  CHECK(bytes.substr(0, got) == frame("one") + frame("") + frame("three"));
}

TEST_CASE("what has arrived is delivered before anything is flushed") {
  Ends ends = open();
  must(ends.peer.send(as_bytes(frame("first") + frame("second"))));
  CHECK(text_of(must(ends.channel->next(seconds(5))).message) == "first");
  must(ends.channel->send(as_bytes("answer to first")));
  CHECK(text_of(must(ends.channel->next(seconds(5))).message) == "second");
  std::byte early[1];
  CHECK_FALSE(must(ends.peer.receive_idle(early, milliseconds(0))).has_value());
}

TEST_CASE("frames may arrive in any pieces") {
  for (const Wait wait : {Wait::sleep, Wait::spin}) {
    ChannelOptions options;
    options.wait = wait;
    Ends ends = open("read_write", options);
    const std::string bytes = frame("hello") + announcement("extent", {1, 0, 3}) + "abc" + frame("end");
    std::thread writer([&] {
      for (const char& byte : bytes) {
        static_cast<void>(ends.peer.send(as_bytes({&byte, 1})));
      }
    });
    must(ends.channel->expect({{1, 0, kMaxView}, Incoming::Sink::view, {}, nullptr}));
    CHECK(text_of(must(ends.channel->next(seconds(5))).message) == "hello");
    const Event announced = must(ends.channel->next(seconds(5)));
    CHECK(text_of(announced.message) == "extent");
    CHECK(announced.announces);
    const Event extent = must(ends.channel->next(seconds(5)));
    REQUIRE(extent.kind == Event::Kind::extent);
    CHECK(text_of(extent.arrival.view) == "abc");
    CHECK(text_of(must(ends.channel->next(seconds(5))).message) == "end");
    writer.join();
  }
}

TEST_CASE("the longest message passes, a longer one does not") {
  const auto listener = must(must(find_datapath("sendfile"))->listen({"127.0.0.1", 0}, {}));
  const auto sender = must(must(find_datapath("sendfile"))->connect(listener->endpoint(), {}));
  const auto receiver = must(listener->accept());
  const std::string longest(kMaxMessage, 'm');
  std::thread sending([&] {
    static_cast<void>(sender->send(as_bytes("before")));
    static_cast<void>(sender->send(as_bytes(longest)));
    static_cast<void>(sender->send(as_bytes("after")));
    static_cast<void>(sender->flush());
  });
  CHECK(text_of(must(receiver->next(seconds(5))).message) == "before");
  CHECK(text_of(must(receiver->next(seconds(5))).message) == longest);
  CHECK(text_of(must(receiver->next(seconds(5))).message) == "after");
  sending.join();
  CHECK(sender->send(as_bytes(longest + "x")).error().fault == Fault::usage);
}

TEST_CASE("small extents of a mover that works in memory leave with their messages in one piece") {
  Ends ends = open("read_write");
  const UniqueFd file = file_of("0123456789");
  for (int i = 0; i < 3; ++i) {
    CHECK(must(ends.channel->send(as_bytes("m"), {{1, 2, 4}, file.get()})).valid == 4);
  }
  std::byte early[1];
  CHECK_FALSE(must(ends.peer.receive_idle(early, milliseconds(0))).has_value());
  must(ends.channel->flush());
  const std::string once = announcement("m", {1, 2, 4}) + "2345";
  CHECK(read_exactly(ends.peer, 3 * once.size()) == once + once + once);
  CHECK(ends.channel->counters().at("batched_bytes") == 12);
}

TEST_CASE("a mover's payload follows its header") {
  Ends ends = open("sendfile");
  const UniqueFd file = file_of("0123456789");
  CHECK(must(ends.channel->send(as_bytes("m"), {{1, 2, 4}, file.get()})).valid == 4);
  const std::string once = announcement("m", {1, 2, 4}) + "2345";
  CHECK(read_exactly(ends.peer, once.size()) == once);
  CHECK(ends.channel->counters().at("batched_bytes") == 0);
}

TEST_CASE("large expected payload does not land in the channel's buffer first, unless the mover works in memory") {
  const std::string payload(1 << 20, 'p');
  for (const std::string_view receiver : {"splice", "read_write"}) {
    ChannelOptions options;
    options.receive_with = receiver;
    Ends ends = open("sendfile", options);
    const UniqueFd file = file_of("");
    ExtentDigester digest(DigestKind::xxh3_128);
    must(ends.channel->expect({{1, 0, kMaxExtent}, Incoming::Sink::file, SharedFd::duplicate(file.get()), &digest}));
    std::thread writer(
        [&] { static_cast<void>(ends.peer.send(as_bytes(announcement("m", {1, 0, payload.size()}) + payload))); });
    CHECK(must(ends.channel->next(seconds(5))).announced.length == payload.size());
    CHECK(must(ends.channel->next(seconds(5))).arrival.sink);
    writer.join();
    CHECK(digest.bytes() == payload.size());
    const auto read_ahead = ends.channel->counters().at("read_ahead_bytes");
    CHECK((receiver == "splice" ? read_ahead == 0 : read_ahead > 0));
  }
}

TEST_CASE("payload that nobody wants to see is dropped, whatever the receiver") {
  for (const std::string_view receiver : {"read_write", "splice", "mmap"}) {
    ChannelOptions options;
    options.receive_with = receiver;
    Ends ends = open("sendfile", options);
    for (const std::size_t length : {std::size_t{0}, std::size_t{100}, std::size_t{3} << 20}) {
      INFO(receiver << ", " << length);
      must(ends.channel->expect({{1, 0, kMaxExtent}, Incoming::Sink::discard, {}, nullptr}));
      std::thread writer([&] {
        static_cast<void>(
            ends.peer.send(as_bytes(announcement("m", {1, 0, length}) + std::string(length, 'p') + frame("on"))));
      });
      CHECK(must(ends.channel->next(seconds(5))).announced.length == length);
      const Event event = must(ends.channel->next(seconds(5)));
      CHECK(event.kind == Event::Kind::extent);
      CHECK(event.arrival.sink);
      CHECK(text_of(must(ends.channel->next(seconds(5))).message) == "on");
      writer.join();
    }
  }
  ChannelOptions options;
  options.receive_with = "splice";
  Ends ends = open("sendfile", options);
  ExtentDigester digest(DigestKind::xxh3_128);
  CHECK(ends.channel->expect({{1, 0, 5}, Incoming::Sink::discard, {}, &digest}).error().fault == Fault::usage);
  CHECK(ends.channel->expect({{1, 0, 5}, Incoming::Sink::file, {}, &digest}).error().fault == Fault::usage);
}

TEST_CASE("of several expectations for one place the first is served first, and the last is taken back first") {
  Ends ends = open();
  ExtentDigester digest(DigestKind::xxh3_128);
  const UniqueFd first = file_of("");
  const UniqueFd second = file_of("");
  const UniqueFd third = file_of("");
  for (const UniqueFd* file : {&first, &second, &third}) {
    must(ends.channel->expect({{1, 0, 5}, Incoming::Sink::file, SharedFd::duplicate(file->get()), &digest}));
  }
  ends.channel->cancel({1, 1, 5});
  ends.channel->cancel({1, 0, 5});
  must(ends.peer.send(as_bytes(announcement("m", {1, 0, 3}) + "one" + announcement("m", {1, 0, 3}) + "two" +
                               announcement("m", {1, 0, 5}) + "three")));
  for (int i = 0; i < 2; ++i) {
    CHECK(must(ends.channel->next(seconds(5))).announces);
    CHECK(must(ends.channel->next(seconds(5))).arrival.sink);
  }
  CHECK(content_of(first.get()) == "one");
  CHECK(content_of(second.get()) == "two");
  CHECK(must(ends.channel->next(seconds(5))).announces);
  CHECK(ends.channel->next(seconds(5)).error().fault == Fault::protocol);
  CHECK(content_of(third.get()).empty());
}

TEST_CASE("once receiving has ended late payload goes nowhere, whoever has the descriptor's number then") {
  const std::string payload(1 << 20, 'p');
  for (const std::string_view receiver : {"read_write", "splice", "mmap"}) {
    for (const bool announced : {false, true}) {
      INFO(receiver << (announced ? ", announced before" : ""));
      ChannelOptions options;
      options.receive_with = receiver;
      Ends ends = open("sendfile", options);
      ExtentDigester digest(DigestKind::xxh3_128);
      SharedFd file(file_of(""));
      const int number = file.get();
      must(ends.channel->expect({{1, 0, kMaxExtent}, Incoming::Sink::file, std::exchange(file, {}), &digest}));
      must(ends.peer.send(as_bytes(announcement("m", {1, 0, payload.size()}) + "some")));
      if (announced) {
        CHECK(must(ends.channel->next(seconds(5))).announces);
      }
      ends.channel->end_receiving();
      const UniqueFd other = file_of("");
      REQUIRE(other.get() == number);
      CHECK(ends.channel->expect({{1, 0, 5}, Incoming::Sink::view, {}, nullptr}).error().fault == Fault::cancelled);

      std::thread writer([&] { static_cast<void>(ends.peer.send(as_bytes(payload.substr(4) + frame("on")))); });
      if (!announced) {
        CHECK(must(ends.channel->next(seconds(5))).announces);
      }
      const Event late = must(ends.channel->next(seconds(5)));
      REQUIRE(late.kind == Event::Kind::extent);
      REQUIRE_FALSE(late.arrival.sink);
      CHECK(late.arrival.sink.error().fault == Fault::cancelled);
      CHECK(text_of(must(ends.channel->next(seconds(5))).message) == "on");
      writer.join();
      CHECK(content_of(other.get()).empty());
      CHECK(digest.bytes() == 0);
    }
  }
}

TEST_CASE("no extent is sent that its receiver would refuse") {
  Ends ends = open();
  const UniqueFd file = file_of("");
  for (const ExtentId& id :
       {ExtentId{1, 0, kMaxExtent + 1}, ExtentId{1, INT64_MAX - kMaxExtent + 1, 1}, ExtentId{1, UINT64_MAX, 1}}) {
    CHECK(ends.channel->send(as_bytes("m"), {id, file.get()}).error().fault == Fault::usage);
  }
  must(ends.channel->send(as_bytes("on")));
  must(ends.channel->flush());
  CHECK(read_exactly(ends.peer, frame("on").size()) == frame("on"));
}

TEST_CASE("after abort() nothing is taken and nothing is told") {
  Ends ends = open();
  must(ends.peer.send(as_bytes(frame("one") + frame("two"))));
  CHECK(text_of(must(ends.channel->next(seconds(5))).message) == "one");
  ends.channel->abort();
  CHECK(ends.channel->next(seconds(5)).error().fault == Fault::cancelled);
  CHECK(ends.channel->send(as_bytes("more")).error().fault == Fault::cancelled);
  CHECK(ends.channel->flush().error().fault == Fault::cancelled);
}

TEST_CASE("waiting ends at the deadline, and by abort from another thread") {
  for (const Wait wait : {Wait::sleep, Wait::spin}) {
    ChannelOptions options;
    options.wait = wait;
    options.timeout = milliseconds(20);
    Ends ends = open("read_write", options);
    for (const auto deadline : {milliseconds(0), milliseconds(5), milliseconds(20), milliseconds(50)}) {
      const auto start = std::chrono::steady_clock::now();
      CHECK(must(ends.channel->next(deadline)).kind == Event::Kind::nothing);
      CHECK(std::chrono::steady_clock::now() - start >= deadline * 9 / 10);
    }
    std::thread other([&] { ends.channel->abort(); });
    const auto event = ends.channel->next(std::chrono::nanoseconds(-1));
    other.join();
    REQUIRE_FALSE(event);
    CHECK(event.error().fault == Fault::cancelled);
  }
}

}  // namespace waggle::stream::testing
