// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>

#include "datapaths/packet/simulated/testing/intruder.hpp"
#include "datapaths/packet/testing/times.hpp"

/// A proven peer that does what no peer should: memory stays bounded, no byte is placed twice or too late, and lies end
/// the connection.
namespace waggle::packet::testing {
namespace {

constexpr std::uint64_t kLength = 64 * 1024;

SharedFd memory_file() {
  SharedFd file(UniqueFd(::memfd_create("sink", MFD_CLOEXEC)));
  must(::ftruncate(file.get(), kLength) == 0, "no file in memory");
  return file;
}

std::vector<std::byte> stored(const SharedFd& file) {
  std::vector<std::byte> bytes(kLength);
  must(::pread(file.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(kLength), "cannot read the sink");
  return bytes;
}

const std::array kByte{std::byte{0x55}};

TEST_CASE("a source that changes between sending and sending again: what is stored is what was digested") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    Intruder peer(HostOptions{});
    ExtentDigester digester(DigestKind::xxh3_128);
    const SharedFd file = memory_file();
    const ExtentId id{Intruder::kHandle, 0, kLength};
    const auto sink = seed % 4 == 0 ? Incoming::Sink::view : Incoming::Sink::file;
    const auto expect = [&] {
      peer.connection().expect({.id = id, .sink = sink, .file = file, .digest = &digester});
      Inbound* const extent = peer.connection().announced(0, id);
      must(extent != nullptr, "an expected extent is not known");
      peer.host().place_staged(peer.connection(), *extent);
      return extent;
    };
    // Pieces overlap as they like, and each one is of another version of the file.
    Inbound* extent = seed % 3 == 0 ? nullptr : expect();
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t at = random() % kLength;
      const std::vector bytes(std::min<std::uint64_t>(1 + random() % 1400, kLength - at),
                              static_cast<std::byte>(random()));
      peer.data(0, at, bytes);
      if (i == 50 && extent == nullptr) {
        extent = expect();
      }
    }
    for (std::uint64_t at = 0; at < kLength; at += 1024) {
      peer.data(0, at, std::vector(1024, static_cast<std::byte>(random())));
    }
    REQUIRE(extent->complete());
    const auto bytes = stored(file);
    const ByteView stored = sink == Incoming::Sink::view ? extent->view() : ByteView(bytes);
    ExtentDigester right(DigestKind::xxh3_128);
    right.update(stored.first(kLength));
    REQUIRE(extent->digester().finish() == right.finish());
  }
}

TEST_CASE("payload that comes after the end of receiving, or while closing, is acknowledged and placed nowhere") {
  const bool closing = GENERATE(false, true);
  Intruder peer(HostOptions{});
  const SharedFd file = memory_file();
  peer.connection().expect({.id = {Intruder::kHandle, 0, kLength}, .sink = Incoming::Sink::file, .file = file});
  peer.data(0, 0, kByte);
  REQUIRE(stored(file)[0] == kByte[0]);
  if (closing) {
    peer.connection().messages_out().write(kByte);  // not acknowledged, so that it waits
    peer.host().wake(peer.connection());
    peer.pass(0);
    peer.connection().close(peer.now());
    REQUIRE(peer.connection().state() == Connection::State::closing);
  } else {
    peer.connection().end_receiving();
    CHECK(peer.connection().held().pieces == 0);
  }
  const auto before = stored(file);
  const std::uint64_t number = peer.number();
  peer.data(0, 1, kByte);
  peer.data(0, 100, kByte);
  peer.data(1, 0, kByte);  // of an extent that was never announced
  peer.pass(5 * kMs);
  CHECK(stored(file) == before);
  REQUIRE(peer.answered);
  CHECK(peer.answered->largest == number + 2);
  CHECK(peer.connection().held().staged == 0);
  if (!closing) {
    CHECK(peer.connection().announced(0, {Intruder::kHandle, 0, kLength}) == nullptr);
  }
}

TEST_CASE("who acknowledges what was not sent is told so and cut off") {
  AckBlock ack;
  ack.packet_limit = 1U << 20U;
  ack.message_limit = kMessageWindow;
  const auto found_out = [](Intruder& peer) {
    return peer.connection().failure() && peer.connection().failure()->fault == Fault::protocol &&
           peer.closed == CloseCode::protocol;
  };
  SECTION("a number beyond the largest") {
    Intruder peer(HostOptions{});
    ack.largest = peer.connection().next_number();
    ack.floor = ack.largest + 1;
    peer.acknowledge(ack);
    CHECK(found_out(peer));
  }
  SECTION("all numbers, among them those that are left out") {
    const bool by_floor = GENERATE(true, false);
    Intruder peer(HostOptions{});
    const ExtentId id{1, 0, std::uint64_t{1} << 30U};
    SharedFd file = memory_file();
    peer.connection().offer(id, file, nullptr);
    peer.host().wake(peer.connection());
    int acks = 0;
    while (!peer.connection().failure() && acks < 5000) {
      peer.pass(kMs);
      const std::uint64_t next = peer.connection().next_number();
      ack.largest = next - 1;
      ack.floor = by_floor ? next : 0;
      ack.count = by_floor ? 0 : 1;
      ack.ranges[0] = {0, next - 1};
      peer.acknowledge(ack);
      ++acks;
    }
    CAPTURE(acks, peer.connection().next_number());
    CHECK(found_out(peer));
    CHECK(peer.connection().next_number() < 2000);
  }
}

void check_bounds(const Connection& connection, const HostOptions& options) {
  const auto held = connection.held();
  REQUIRE(held.numbers <= Connection::kMostNumbers);
  REQUIRE(held.outbound <= Connection::kMostOutbound + 16);
  REQUIRE(held.lost <= Connection::kMostNumbers);
  REQUIRE(held.pieces <= Connection::kMostPieces + 16);
  REQUIRE(held.messages <= MessageReceiver::kMostPieces + Connection::kMostUnderWay);
  REQUIRE(held.received <= ReceivedNumbers::kMost);
  REQUIRE(held.staged <= options.staging / 2);
}

TEST_CASE("262,144 messages of one byte in descending order make few ranges, and are not all acknowledged") {
  Intruder peer(HostOptions{});
  for (std::uint64_t i = 262'144; i-- > 0;) {
    peer.message(2 * i + 1, kByte);
  }
  check_bounds(peer.connection(), {});
  CHECK(peer.connection().held().messages == MessageReceiver::kMostPieces);
  CHECK(peer.connection().stats().refused_packets == 262'144 - MessageReceiver::kMostPieces);
  for (std::uint64_t at = 0; at < kMessageWindow; at += 1024) {
    peer.message(at, std::vector(1024, kByte[0]));  // what is refused may come again
  }
  CHECK(peer.connection().messages_in().available() == kMessageWindow);
}

TEST_CASE("every other byte of payload makes few ranges, and the rest is still taken") {
  HostOptions options;
  options.staging = 256 * 1024;
  Intruder peer(options);
  const SharedFd file = memory_file();
  const auto sink = GENERATE(Incoming::Sink::file, Incoming::Sink::discard);
  const ExtentId id{Intruder::kHandle, 0, kLength};
  peer.connection().expect({.id = id, .sink = sink, .file = file});
  Inbound* const extent = peer.connection().announced(0, id);
  for (std::uint64_t at = 1; at < kLength; at += 2) {
    peer.data(0, at, kByte);
  }
  check_bounds(peer.connection(), options);
  for (std::uint64_t at = 0; at < kLength; at += 1024) {
    peer.data(0, at, std::vector(1024, kByte[0]));
  }
  CHECK(extent->complete());
  CHECK(peer.connection().held().staged == 0);
}

TEST_CASE("a peer that acknowledges nothing makes nobody remember more and more") {
  Intruder peer(HostOptions{});
  peer.connection().messages_out().write(kByte);
  peer.host().wake(peer.connection());
  for (std::uint64_t i = 0; i < 2 * Connection::kMostNumbers; ++i) {
    peer.send(Type::ping, kClose);  // each is answered, and each answer uses up a number
  }
  check_bounds(peer.connection(), {});
}

TEST_CASE("memory is bounded, whatever a peer does") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    HostOptions options;
    options.staging = 512 * 1024;
    Intruder peer(options);
    const SharedFd file = memory_file();
    for (std::uint64_t i = 0; i < random() % 4; ++i) {
      peer.connection().expect(
          {.id = {Intruder::kHandle, i * kLength / 4, kLength / 4}, .sink = Incoming::Sink::file, .file = file});
    }
    const std::uint64_t stride = 1 + random() % 7;
    const bool down = random() % 2 == 0;
    for (std::uint64_t i = 0; i < 4000 && !peer.connection().failure(); ++i) {
      const std::uint64_t at = (down ? 4000 - i : i) * stride;
      switch (random() % 6) {
        case 0: peer.message(at, kByte); break;
        case 1: peer.data(static_cast<std::uint32_t>(random() % 6), at % kLength, kByte); break;
        case 2: peer.data(0, random() % kLength, std::vector(1 + random() % 100, kByte[0])); break;
        case 3:
          if (peer.connection().messages_out().room() > 100) {
            peer.connection().messages_out().write(std::vector(1 + random() % 50, kByte[0]));
            peer.connection().offer({1, 0, random() % 2000}, file, nullptr);
            peer.host().wake(peer.connection());
          }
          break;
        case 4: {
          // Acknowledges some of what was really sent.
          AckBlock ack;
          ack.packet_limit = 1U << 20U;
          ack.message_limit = std::uint64_t{1} << 40U;
          for (std::size_t back = 1; back <= peer.seen.size() && ack.count < 20; back += 1 + random() % 3) {
            const std::uint64_t number = peer.seen[peer.seen.size() - back].number;
            if (ack.count == 0 || number < ack.ranges[ack.count - 1U].first) {
              ack.ranges[ack.count++] = {number, number};
            }
          }
          ack.largest = ack.count > 0 ? ack.ranges[0].last : 0;
          if (ack.count > 0 && ack.largest > 0) {
            peer.acknowledge(ack);
          }
          break;
        }
        default: peer.pass(random() % (2 * kMs)); break;
      }
      if (i % 64 == 0) {
        check_bounds(peer.connection(), options);
      }
    }
    CHECK_FALSE(peer.connection().failure());
    check_bounds(peer.connection(), options);
  }
}

}  // namespace
}  // namespace waggle::packet::testing
