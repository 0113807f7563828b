// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/testing/must.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/datapath.hpp"

// GCC defines the first two, clang has the last two.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WAGGLE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WAGGLE_SANITIZED 1
#endif
#endif

/// What the tests of the stream datapaths share: two channels of one connection, files with known content.
namespace waggle::test {

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A file without a name, gone with its descriptor.
inline UniqueFd nameless_file() {
  UniqueFd file(::open(std::filesystem::temp_directory_path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  REQUIRE(file);
  return file;
}

/// Pseudo-random bytes that depend on their place in the file.
inline std::vector<std::byte> pattern(std::uint64_t offset, std::size_t length) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length;) {
    std::uint64_t x = (offset + i) / 8 * 0x9e3779b97f4a7c15U + 1;
    x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9U;
    do {
      bytes[i] = static_cast<std::byte>(x >> (8 * ((offset + i) % 8)));
    } while (++i < length && (offset + i) % 8 != 0);
  }
  return bytes;
}

constexpr std::size_t kStep = 1 << 20;

#if defined(WAGGLE_SANITIZED)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// A file of `size` bytes of pattern().
inline UniqueFd pattern_file(std::uint64_t size) {
  UniqueFd file = nameless_file();
  for (std::uint64_t at = 0; at < size; at += kStep) {
    const auto bytes = pattern(at, std::min<std::uint64_t>(kStep, size - at));
    REQUIRE(::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
            static_cast<ssize_t>(bytes.size()));
  }
  return file;
}

inline std::uint64_t size_of(int file) {
  struct stat status{};
  REQUIRE(::fstat(file, &status) == 0);
  return static_cast<std::uint64_t>(status.st_size);
}

/// Compares [offset, offset + length) of two files, byte by byte.
inline bool same_content(int one, int other, std::uint64_t offset, std::uint64_t length) {
  std::vector<std::byte> a(kStep);
  std::vector<std::byte> b(kStep);
  while (length > 0) {
    const auto step = std::min<std::uint64_t>(kStep, length);
    if (::pread(one, a.data(), step, static_cast<off_t>(offset)) != static_cast<ssize_t>(step) ||
        ::pread(other, b.data(), step, static_cast<off_t>(offset)) != static_cast<ssize_t>(step) ||
        !std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(step), b.begin())) {
      return false;
    }
    offset += step;
    length -= step;
  }
  return true;
}

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Both ends of one connection over loopback.
struct Pair {
  std::unique_ptr<Channel> sender;
  std::unique_ptr<Channel> receiver;
};

inline Pair connect_pair(std::string_view sender, std::string_view receiver, ChannelOptions options = {}) {
  const Datapath* datapath = must(find_datapath(sender));
  options.receive_with = receiver;
  const auto listener = must(datapath->listen({"127.0.0.1", 0}, options));
  Pair pair;
  pair.sender = must(datapath->connect(listener->endpoint(), options));  // the backlog takes it
  pair.receiver = must(listener->accept());
  return pair;
}

/// Names of all stream datapaths that can run here and move to that side.
inline std::vector<std::string> movers(Side side) {
  std::vector<std::string> names;
  for (const Datapath* datapath : datapaths()) {
    if (datapath->carrier() == Carrier::stream && datapath->moves(side) && datapath->available()) {
      names.emplace_back(datapath->name());
    }
  }
  return names;
}

constexpr auto kPatience = std::chrono::seconds(20);

/// The next event, which must be a message.
inline Event next_message(Channel& channel) {
  Event event = must(channel.next(kPatience));
  REQUIRE(event.kind == Event::Kind::message);
  return event;
}

inline Arrival next_arrival(Channel& channel) {
  Event event = must(channel.next(kPatience));
  REQUIRE(event.kind == Event::Kind::extent);
  return event.arrival;
}

/// Says something each way, which only works when both sides agree on where they are in the stream.
inline void check_in_step(Pair& pair) {
  must(pair.sender->send(as_bytes("still there?")));
  must(pair.sender->flush());
  CHECK(text_of(next_message(*pair.receiver).message) == "still there?");
  must(pair.receiver->send(as_bytes("yes")));
  must(pair.receiver->flush());
  CHECK(text_of(next_message(*pair.sender).message) == "yes");
}

}  // namespace waggle::test
