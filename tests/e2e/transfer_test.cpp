// SPDX-License-Identifier: BSD-2-Clause
#include <sys/resource.h>

#include <future>

#include "datapaths/testing/pair.hpp"

// Every sender with every receiver that is registered, so that a new mover is covered by being there.

namespace waggle::test {
namespace {

struct Case {
  std::uint64_t offset;
  std::uint64_t length;
};

constexpr Case kCases[] = {
    {0, 0}, {0, 1},       {0, 4095},      {0, 4096},          {0, 65537},     {0, 1048579},
    {1, 1}, {4097, 4096}, {12345, 65537}, {1048575, 1048579}, {0, 70U << 20}, {777, (70U << 20) + 1},
};

Digest digest_of_file(int file, std::uint64_t offset, std::uint64_t length) {
  ExtentDigester digester(DigestKind::xxh3_128);
  std::vector<std::byte> bytes(kStep);
  for (std::uint64_t done = 0; done < length; done += kStep) {
    const auto step = std::min<std::uint64_t>(kStep, length - done);
    REQUIRE(::pread(file, bytes.data(), step, static_cast<off_t>(offset + done)) == static_cast<ssize_t>(step));
    digester.update(ByteView(bytes).first(step));
  }
  return digester.finish();
}

/// Sends one extent in another thread, with the mover's digest tap, while `receive` works in this one.
template <typename Receive>
void transfer(Pair& pair, int source, const Case& what, Receive receive) {
  ExtentDigester tap(DigestKind::xxh3_128);
  auto sending = std::async(std::launch::async, [&] {
    auto sent = pair.sender->send(as_bytes("here it comes"), {{7, what.offset, what.length}, source, &tap});
    if (sent) {
      if (auto flushed = pair.sender->flush(); !flushed) {
        return Result<Sent>(std::unexpected(flushed.error()));
      }
    }
    return sent;
  });
  const Event event = next_message(*pair.receiver);
  CHECK(text_of(event.message) == "here it comes");
  REQUIRE(event.announces);
  CHECK(event.announced == ExtentId{7, what.offset, what.length});
  const Digest expected = digest_of_file(source, what.offset, what.length);
  receive(expected);
  const Sent sent = must(sending.get());
  CHECK(sent.valid == what.length);
  CHECK(sent.source);
  if (tap.bytes() != 0) {
    CHECK(tap.bytes() == what.length);
    CHECK(tap.finish() == expected);
  }
}

void transfer_to_file(Pair& pair, int source, const Case& what) {
  const UniqueFd target = nameless_file();
  ExtentDigester digest(DigestKind::xxh3_128);
  transfer(pair, source, what, [&](const Digest& expected) {
    must(pair.receiver->expect(
        {{7, what.offset, what.length}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
    const Arrival arrival = next_arrival(*pair.receiver);
    CHECK(arrival.sink);
    CHECK(arrival.id == ExtentId{7, what.offset, what.length});
    CHECK(digest.bytes() == what.length);
    CHECK(digest.finish() == expected);
  });
  CHECK(size_of(target.get()) == (what.length == 0 ? 0 : what.offset + what.length));
  CHECK(same_content(source, target.get(), what.offset, what.length));
}

void transfer_to_nothing(Pair& pair, int source, const Case& what) {
  ExtentDigester digest(DigestKind::xxh3_128);
  transfer(pair, source, what, [&](const Digest& expected) {
    must(pair.receiver->expect({{7, what.offset, what.length}, Incoming::Sink::discard, {}, &digest}));
    CHECK(next_arrival(*pair.receiver).sink);
    CHECK(digest.bytes() == what.length);
    CHECK(digest.finish() == expected);
  });
}

void transfer_to_view(Pair& pair, int source, const Case& what) {
  transfer(pair, source, what, [&](const Digest&) {
    must(pair.receiver->expect({{7, what.offset, kMaxView}, Incoming::Sink::view, {}, nullptr}));
    const Arrival arrival = next_arrival(*pair.receiver);
    CHECK(arrival.sink);
    CHECK(arrival.id.length == what.length);
    const auto expected = pattern(what.offset, what.length);
    CHECK(std::ranges::equal(arrival.view, expected));
  });
}

void all_cases(Pair& pair, int source, bool discards, std::uint64_t longest) {
  for (const Case& what : kCases) {
    if (what.length > longest) {
      continue;
    }
    INFO("offset " << what.offset << ", length " << what.length);
    transfer_to_file(pair, source, what);
    if (discards) {
      transfer_to_nothing(pair, source, what);
    }
    if (what.length <= kMaxView) {
      transfer_to_view(pair, source, what);
    }
  }
  check_in_step(pair);
}

}  // namespace

TEST_CASE("there is a sender and a receiver to test") {
  CHECK(movers(Side::sender).size() >= 5);
  CHECK(movers(Side::receiver).size() >= 3);
}

TEST_CASE("every sender serves every receiver") {
  const UniqueFd source = pattern_file((70U << 20) + 4096);
  for (const Wait wait : {Wait::sleep, Wait::spin}) {
    for (const auto& sender : movers(Side::sender)) {
      for (const auto& receiver : movers(Side::receiver)) {
        if (wait == Wait::spin && sender != receiver && receiver != "read_write") {
          continue;  // spinning concerns each mover by itself, not the pair
        }
        // So do the longest extents, which take seconds under a sanitizer: there, each mover has them once each way.
        const bool all = !kSanitized || (wait == Wait::sleep && (sender == "sendfile" || receiver == "read_write"));
        INFO(sender << " to " << receiver << (wait == Wait::spin ? ", spinning" : ""));
        const std::size_t descriptors = open_descriptors();
        {
          ChannelOptions options;
          options.wait = wait;
          Pair pair = connect_pair(sender, receiver, options);
          CHECK(pair.sender->facts().sender == sender);
          CHECK(pair.receiver->facts().receiver == receiver);
          all_cases(pair, source.get(), must(find_datapath(receiver))->takes(Incoming::Sink::discard),
                    all ? kMaxExtent : 2U << 20);
        }
        CHECK(open_descriptors() == descriptors);
      }
    }
  }
}

TEST_CASE("extents one after the other need no answer between them") {
  const UniqueFd source = pattern_file(8 << 20);
  constexpr std::uint64_t kLengths[] = {100, 200000, 16384, 0, 65536, 1000000, 3};
  for (const auto& sender : movers(Side::sender)) {
    for (const auto& receiver : movers(Side::receiver)) {
      INFO(sender << " to " << receiver);
      Pair pair = connect_pair(sender, receiver);
      auto sending = std::async(std::launch::async, [&] {
        std::uint64_t offset = 3;
        for (const std::uint64_t length : kLengths) {
          if (auto sent = pair.sender->send(as_bytes("next"), {{1, offset, length}, source.get()}); !sent) {
            return Result<>(std::unexpected(sent.error()));
          }
          offset += length;
        }
        return pair.sender->flush();
      });
      const UniqueFd target = nameless_file();
      std::uint64_t offset = 3;
      for (const std::uint64_t length : kLengths) {
        ExtentDigester digest(DigestKind::xxh3_128);
        must(pair.receiver->expect(
            {{1, offset, length}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
        offset += length;
        CHECK(next_message(*pair.receiver).announces);
        CHECK(next_arrival(*pair.receiver).sink);
      }
      must(sending.get());
      CHECK(same_content(source.get(), target.get(), 3, offset - 3));
    }
  }
}

#if !defined(WAGGLE_SANITIZED)  // whose own memory is far larger
TEST_CASE("memory does not grow with the file") {
  const UniqueFd source = pattern_file(200U << 20);
  const Case what{0, 200U << 20};
  for (const auto& sender : movers(Side::sender)) {
    Pair pair = connect_pair(sender, "read_write");
    transfer_to_file(pair, source.get(), what);
  }
  for (const auto& receiver : movers(Side::receiver)) {
    Pair pair = connect_pair("sendfile", receiver);
    transfer_to_file(pair, source.get(), what);
  }
  rusage usage{};
  REQUIRE(::getrusage(RUSAGE_SELF, &usage) == 0);
  CHECK(usage.ru_maxrss < 64 * 1024);  // KiB, both sides together
}
#endif

}  // namespace waggle::test
