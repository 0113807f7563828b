// SPDX-License-Identifier: BSD-2-Clause
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <utility>

#include "datapaths/stream/testing/ends.hpp"

/// What a channel makes of peers that break the framing, fall silent or go.
namespace waggle::stream::testing {

TEST_CASE("strangers are recognised") {
  Ends ends = open();
  must(ends.peer.send(as_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  CHECK(ends.channel->next(seconds(5)).error().fault == Fault::protocol);
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

}  // namespace waggle::stream::testing
