// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "datapaths/testing/pair.hpp"
#include "tests/conformance/ends.hpp"

namespace waggle::conformance {

inline constexpr auto kPatience = std::chrono::seconds(20);

/// One end of a channel, and what it must see. Throws a Broken otherwise.
struct End {
  Channel& channel;
  const Lane& lane;

  Event next() { return must(channel.next(kPatience * patience()), "no event"); }
  std::string hear() {
    const Event event = next();
    must(event.kind == Event::Kind::message, "something else came than a message");
    return test::text_of(event.message);
  }
  void hear(std::string_view expected) {
    const std::string heard = hear();
    must(heard == expected, "a message is not what was sent");
  }
  void say(ByteView message) {
    must(channel.send(message), "cannot send");
    must(channel.flush(), "cannot flush");
  }
  void say(std::string_view text) { say(test::as_bytes(text)); }
  Sent pay(std::string_view text, const ExtentId& id, int file) {
    const Sent sent = must(channel.send(test::as_bytes(text), Outgoing{id, file, nullptr}), "cannot send an extent");
    must(channel.flush(), "cannot flush");
    return sent;
  }
  void announced(const ExtentId& id) {
    const Event event = next();
    must(event.kind == Event::Kind::message && event.announces && event.announced == id,
         "no announcement of an extent");
  }
  Arrival arrival(const ExtentId& id) {
    const Event event = next();
    must(event.kind == Event::Kind::extent && event.arrival.id == id, "an extent did not arrive");
    must(event.arrival.sink, "a sink failed");
    return event.arrival;
  }
  void closed() {
    const Event event = next();
    must(event.kind == Event::Kind::closed, "the peer has not closed");
  }
};

/// A sink and its digester, as a session has them.
struct Sink {
  SharedFd file{test::nameless_file()};
  ExtentDigester digester{DigestKind::xxh3_128};

  Incoming incoming(const ExtentId& id) { return {id, Incoming::Sink::file, file, &digester}; }
  std::vector<std::byte> content(std::uint64_t offset, std::uint64_t length) const {
    std::vector<std::byte> bytes(length);
    const auto got = ::pread(file.get(), bytes.data(), length, static_cast<off_t>(offset));
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }
  void holds(const ExtentId& id, std::uint64_t from) {
    must(content(id.offset, id.length) == test::pattern(from, id.length), "a file does not hold what was sent into it");
    ExtentDigester right(DigestKind::xxh3_128);
    right.update(test::pattern(from, id.length));
    must(digester.finish() == right.finish(), "the digest is not that of what was sent");
  }
  void is_empty() const { must(test::size_of(file.get()) == 0, "bytes came into a file that none were meant for"); }
};

}  // namespace waggle::conformance
