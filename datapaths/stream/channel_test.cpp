// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/stream/channel.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "datapaths/stream/tcp.hpp"

namespace waggle::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

template <typename T>
T must(Result<T> result) {
  if (!result) {
    FAIL(result.error().text());
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string frame(const std::string& message) {
  const auto header = encode({static_cast<std::uint32_t>(message.size()), false, {}});
  return text_of(header) + message;
}

std::string announcement(const std::string& message, const ExtentId& id) {
  return text_of(encode({static_cast<std::uint32_t>(message.size()), true, id})) + message;
}

/// A channel and the bare socket at its other end.
struct Ends {
  std::unique_ptr<Channel> channel;
  Socket peer;
};

Ends open(std::string_view name = "read_write", const ChannelOptions& options = {}) {
  const auto listener = must(must(find_datapath(name))->listen({"127.0.0.1", 0}, options));
  auto connection = must(connect_tcp(listener->endpoint(), ChannelOptions{}));
  return {must(listener->accept()), std::move(connection.socket)};
}

/// Exactly `length` bytes from the bare end.
std::string read_exactly(Socket& peer, std::size_t length) {
  std::string bytes(length, '\0');
  for (std::size_t done = 0; done < length;) {
    done += must(peer.receive(std::as_writable_bytes(std::span(bytes)).subspan(done)));
  }
  return bytes;
}

UniqueFd file_of(std::string_view content) {
  UniqueFd file(::memfd_create("content", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  return file;
}

std::string content_of(int file) {
  std::string content(1 << 16, '\0');
  const ssize_t got = ::pread(file, content.data(), content.size(), 0);
  REQUIRE(got >= 0);
  content.resize(static_cast<std::size_t>(got));
  return content;
}

/// Receiving has failed, but the peer can still be told.
void check_last_words(Ends& ends) {
  must(ends.channel->send(as_bytes("your fault")));
  must(ends.channel->flush());
  CHECK(read_exactly(ends.peer, frame("your fault").size()) == frame("your fault"));
}

}  // namespace

TEST_CASE("frame headers are 32 bytes in network byte order") {
  const auto bytes = encode({0x01020304, true, {0x0a0b0c0d, 0x1112131415161718, 0x20000000}});
  const unsigned char expected[32] = {'W',  'G',  1, 1, 1, 2,    3,    4,    0x0a, 0x0b, 0x0c,
                                      0x0d, 0,    0, 0, 0, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                                      0x17, 0x18, 0, 0, 0, 0,    0x20, 0,    0,    0};
  CHECK(std::ranges::equal(bytes, std::as_bytes(std::span(expected))));

  const auto back = must(decode(encode({77, true, {1, 2, 3}})));
  CHECK(back.message == 77);
  CHECK(back.announces);
  CHECK(back.extent == ExtentId{1, 2, 3});
}

TEST_CASE("malformed frame headers are refused") {
  const auto refused = [](std::size_t at, unsigned char value) {
    auto bytes = encode({5, true, {1, 2, 3}});
    bytes[at] = std::byte{value};
    const auto header = decode(bytes);
    return !header && header.error().fault == Fault::protocol;
  };
  CHECK(refused(0, 'H'));    // magic
  CHECK(refused(2, 2));      // version
  CHECK(refused(3, 3));      // unknown flag
  CHECK(refused(3, 0));      // an extent without the flag
  CHECK(refused(4, 1));      // message of 16 MiB
  CHECK(refused(15, 1));     // reserved
  CHECK(refused(16, 0xff));  // offset beyond every file
  CHECK(refused(27, 1));     // extent of 4 GiB
}

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

TEST_CASE("an extent that nobody expects, or a longer one, ends the connection") {
  for (const std::uint64_t length : {4U, 6U}) {
    Ends ends = open();
    must(ends.peer.send(as_bytes(announcement("m", {length == 4 ? 2U : 1U, 0, length}) + "123456")));
    must(ends.channel->expect({{1, 0, 5}, Incoming::Sink::view, {}, nullptr}));
    CHECK(must(ends.channel->next(seconds(5))).announces);
    const auto event = ends.channel->next(seconds(5));
    REQUIRE_FALSE(event);
    CHECK(event.error().fault == Fault::protocol);
    CHECK(ends.channel->next(seconds(5)).error().fault == Fault::protocol);
    check_last_words(ends);
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

TEST_CASE("a peer that sends nonsense or stops in the middle is told so") {
  const std::string sound = text_of(encode({5, true, {1, 2, 3}}));
  const auto with = [&](std::size_t at, std::string_view bytes) {
    return std::string(sound).replace(at, bytes.size(), bytes);
  };
  using namespace std::string_view_literals;
  const std::pair<std::string, Fault> said[] = {
      {with(24, "\0\0\0\0\x40\0\0\1"sv), Fault::protocol},                // one byte more than kMaxExtent
      {with(16, "\x7f\xff\xff\xff\xff\xff\xff\xfe"sv), Fault::protocol},  // the last offset
      {with(16, "\x7f\xff\xff\xff\xc0\0\0\0"sv), Fault::protocol},        // the first that is too far
      {with(16, "\xff\xff\xff\xff\xff\xff\xff\xff"sv), Fault::protocol},  // negative, for a system call
      {with(4, "\0\4\0\1"sv), Fault::protocol},                           // a message of 256 KiB and a byte
      {frame(std::string(kMaxMessage, 'm')).substr(0, kMaxMessage / 2), Fault::timeout},
      {sound.substr(0, 31), Fault::timeout},
  };
  ChannelOptions options;
  options.timeout = milliseconds(50);
  for (const auto& [bytes, fault] : said) {
    INFO(bytes.size() << " bytes");
    Ends ends = open("read_write", options);
    must(ends.peer.send(as_bytes(bytes)));
    const auto event = ends.channel->next(seconds(5));
    REQUIRE_FALSE(event);
    CHECK(event.error().fault == fault);
    CHECK(ends.channel->next(seconds(5)).error().fault == fault);
    check_last_words(ends);
  }
}

TEST_CASE("payload that stalls is told to its sender, whatever the receiver") {
  ChannelOptions options;
  options.timeout = milliseconds(50);
  for (const std::string_view receiver : {"read_write", "splice", "mmap", "uring"}) {
    INFO(receiver);
    if (const auto datapath = find_datapath(receiver); !datapath || !(*datapath)->available()) {
      continue;
    }
    options.receive_with = receiver;
    Ends ends = open("sendfile", options);
    const UniqueFd file = file_of("");
    ExtentDigester digest(DigestKind::xxh3_128);
    must(ends.channel->expect({{1, 0, 1 << 20}, Incoming::Sink::file, SharedFd::duplicate(file.get()), &digest}));
    must(ends.peer.send(as_bytes(announcement("m", {1, 0, 1 << 20}) + std::string(1 << 19, 'p'))));
    CHECK(must(ends.channel->next(seconds(5))).announces);
    CHECK(ends.channel->next(seconds(5)).error().fault == Fault::timeout);
    check_last_words(ends);
  }
}

TEST_CASE("the last words of a peer arrive although nothing can be sent to it any more") {
  Ends ends = open();
  must(ends.peer.send(as_bytes(frame("no"))));
  ends.peer.abort();
  const UniqueFd file = file_of(std::string(1 << 20, 'p'));
  Result<Sent> sent;
  while (sent) {  // the first may still fit the buffers
    sent = ends.channel->send(as_bytes("m"), {{1, 0, 1 << 20}, file.get()});
  }
  CHECK(sent.error().fault == Fault::peer_gone);
  CHECK(text_of(must(ends.channel->next(seconds(5))).message) == "no");
  CHECK(ends.channel->send(as_bytes("m")).error().fault == Fault::peer_gone);
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

TEST_CASE("strangers are recognised") {
  Ends ends = open();
  must(ends.peer.send(as_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  CHECK(ends.channel->next(seconds(5)).error().fault == Fault::protocol);
}

TEST_CASE("the end of a connection is told by where it comes") {
  Ends orderly = open();
  must(orderly.peer.send(as_bytes(frame("bye"))));
  ::shutdown(orderly.peer.fd(), SHUT_WR);
  CHECK(text_of(must(orderly.channel->next(seconds(5))).message) == "bye");
  CHECK(must(orderly.channel->next(seconds(5))).kind == Event::Kind::closed);

  Ends torn = open();
  must(torn.peer.send(as_bytes(frame("broken off").substr(0, 35))));
  ::shutdown(torn.peer.fd(), SHUT_WR);
  const auto event = torn.channel->next(seconds(5));
  REQUIRE_FALSE(event);
  CHECK(event.error().fault == Fault::peer_gone);
  CHECK(event.error().what.find("after 35 of 42 bytes") != std::string::npos);
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

TEST_CASE("a listener waits until it is aborted") {
  const auto listener = must(must(find_datapath("read_write"))->listen({"", 0}, {}));
  CHECK(must(must(find_datapath("read_write"))->connect({"127.0.0.1", listener->endpoint().port}, {})));
  CHECK(must(must(find_datapath("read_write"))->connect({"::1", listener->endpoint().port}, {})));
  std::thread other([&] { listener->abort(); });
  Result<std::unique_ptr<Channel>> accepted = listener->accept();
  while (accepted) {
    accepted = listener->accept();
  }
  other.join();
  CHECK(accepted.error().fault == Fault::cancelled);
}

TEST_CASE("set-up failures say what to do") {
  const Datapath* datapath = must(find_datapath("read_write"));
  const auto listener = must(datapath->listen({"127.0.0.1", 0}, {}));
  const auto twice = datapath->listen(listener->endpoint(), {});
  REQUIRE_FALSE(twice);
  CHECK(twice.error().fault == Fault::busy);
  CHECK(twice.error().text().find("is in use; ") != std::string::npos);

  ChannelOptions options;
  options.congestion = "nonsense";
  CHECK(datapath->listen({"127.0.0.1", 0}, options).error().fault == Fault::missing);
  options.allow_fallback = true;
  const auto fallen = must(datapath->connect(listener->endpoint(), options));
  const auto modes = fallen->facts().modes;
  const auto congestion = std::ranges::find(modes, "congestion", &Mode::name);
  REQUIRE(congestion != modes.end());
  CHECK(congestion->requested == "nonsense");
  CHECK(congestion->granted != "nonsense");

  options = {};
  options.settings["read_write.bufer"] = "4KiB";
  CHECK(datapath->connect(listener->endpoint(), options).error().text().find("it has: buffer") != std::string::npos);
  options.settings = {{"read_write.buffer", "much"}};
  CHECK(datapath->connect(listener->endpoint(), options).error().fault == Fault::usage);
  options.settings = {{"nonsense.buffer", "4KiB"}};
  CHECK(datapath->connect(listener->endpoint(), options).error().fault == Fault::usage);
  options.settings = {};
  options.receive_with = "sendfile";
  CHECK(datapath->connect(listener->endpoint(), options).error().text().find("sendfile cannot receive") !=
        std::string::npos);
}

TEST_CASE("socket buffers are granted as asked") {
  ChannelOptions options;
  options.send_buffer = 300000;
  options.receive_buffer = 200000;
  Ends ends = open("read_write", options);
  for (const Mode& mode : ends.channel->facts().modes) {
    CHECK(mode.requested == mode.granted);
  }
}

}  // namespace waggle::stream
