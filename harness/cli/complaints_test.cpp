// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/complaints.hpp"

#include <fcntl.h>
#include <linux/limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "base/unique_fd.hpp"

namespace waggle::cli {
namespace {

using Catch::Matchers::EndsWith;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    read = UniqueFd(ends[0]);
    write = UniqueFd(ends[1]);
  }
  /// Until it takes no byte more; returns how many it took.
  std::size_t fill() const {
    std::size_t taken = 0;
    REQUIRE(::fcntl(write.get(), F_SETFL, O_NONBLOCK) == 0);
    const std::string bytes(PIPE_BUF, '-');
    for (ssize_t done = 0; done >= 0; done = ::write(write.get(), bytes.data(), bytes.size())) {
      taken += static_cast<std::size_t>(done);
    }
    REQUIRE(::fcntl(write.get(), F_SETFL, 0) == 0);
    return taken;
  }
  std::string take(std::size_t length) const {
    std::string all(length, '\0');
    for (std::size_t done = 0; done < length;) {
      const ssize_t got = ::read(read.get(), all.data() + done, length - done);
      REQUIRE(got > 0);
      done += static_cast<std::size_t>(got);
    }
    return all;
  }
  std::string rest() {
    write.reset();
    std::string all;
    std::array<char, 4096> some;
    for (ssize_t got = 0; (got = ::read(read.get(), some.data(), some.size())) > 0;) {
      all.append(some.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
};

}  // namespace

TEST_CASE("lines are written in their order, the last ones too", "[complaints]") {
  Pipe pipe;
  {
    Complaints complaints(pipe.write.get());
    for (int i = 0; i < 100; ++i) {
      complaints.say("line " + std::to_string(i));
    }
  }
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    expected += "line " + std::to_string(i) + "\n";
  }
  CHECK(pipe.rest() == expected);
}

TEST_CASE("nobody waits for a reader that does not read, and what was dropped is said later", "[complaints]") {
  Pipe pipe;
  const std::size_t filled = pipe.fill();
  std::optional<Complaints> complaints(pipe.write.get());
  constexpr std::size_t kSaid = 10 * Complaints::kMost;
  for (std::size_t i = 0; i < kSaid; ++i) {
    complaints->say("line");
  }
  CHECK(pipe.take(filled) == std::string(filled, '-'));
  complaints.reset();
  const std::string text = pipe.rest();
  std::istringstream lines(text);
  std::size_t written = 0;
  std::size_t dropped = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line == "line") {
      ++written;
    } else {
      CHECK_THAT(line, EndsWith(" more lines were dropped: nobody read what was written here"));
      dropped += std::stoul(line);
    }
  }
  CHECK(dropped > 0);
  CHECK(written + dropped == kSaid);
}

TEST_CASE("an end with a reader that never reads comes all the same", "[complaints]") {
  static const Pipe pipe;  // stays open for the thread that is left behind
  pipe.fill();
  Complaints complaints(pipe.write.get());
  complaints.say("line");
}

TEST_CASE("ten lines pass in a window, and the next one tells how many did not") {
  RateLimit limit;
  const std::chrono::steady_clock::time_point start(std::chrono::hours(1));
  for (std::uint64_t line = 0; line < RateLimit::kMost; ++line) {
    CHECK(limit.pass(start + std::chrono::milliseconds(line)).say);
  }
  CHECK_FALSE(limit.pass(start + std::chrono::seconds(1)).say);
  CHECK_FALSE(limit.pass(start + RateLimit::kWindow - std::chrono::milliseconds(1)).say);
  const auto next = limit.pass(start + RateLimit::kWindow);
  CHECK(next.say);
  CHECK(next.unsaid == 2);
  CHECK(limit.pass(start + RateLimit::kWindow).unsaid == 0);
}

}  // namespace waggle::cli
