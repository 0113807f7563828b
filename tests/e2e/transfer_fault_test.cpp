// SPDX-License-Identifier: BSD-2-Clause
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cstdlib>
#include <future>
#include <optional>

#include "datapaths/stream/frame.hpp"
#include "datapaths/stream/tcp.hpp"
#include "tests/e2e/pair.hpp"

// What can go wrong while an extent moves, for every mover: always an error by name, and both sides still agree on
// where they are unless the connection is lost.

namespace waggle::test {
namespace {

constexpr std::uint64_t kLong = 32U << 20;

/// Buffers that hold far less than an extent: the sender is certainly still at work while the receiver waits.
ChannelOptions small_buffers() {
  ChannelOptions options;
  options.send_buffer = 128 * 1024;
  options.receive_buffer = 128 * 1024;
  return options;
}

/// A peer that writes what it likes on the wire.
struct RawPeer {
  stream::Socket socket;
  std::unique_ptr<Channel> channel;
};

RawPeer raw_peer(std::string_view sender, std::string_view receiver, ChannelOptions options) {
  const Datapath* datapath = must(find_datapath(sender));
  options.receive_with = receiver;
  const auto listener = must(datapath->listen({"127.0.0.1", 0}, options));
  auto connection = must(stream::connect_tcp(listener->endpoint(), ChannelOptions{}));
  return {std::move(connection.socket), must(listener->accept())};
}

/// Announces an extent of `length` bytes with an empty message and sends the first `given` of them.
void send_part(stream::Socket& socket, std::uint64_t length, std::uint64_t given) {
  must(socket.send(stream::encode({0, true, {7, 0, length}})));
  must(socket.send(pattern(0, given)));
}

std::future<Result<Sent>> send_later(Channel& channel, int source, std::uint64_t length) {
  return std::async(std::launch::async, [&channel, source, length] {
    auto sent = channel.send(as_bytes("x"), {{7, 0, length}, source});
    if (sent) {
      static_cast<void>(channel.flush());
    }
    return sent;
  });
}

/// A descriptor of a new file on a file system of its own, which lives as long as the descriptor; nothing when this
/// user may not mount.
std::optional<UniqueFd> file_on(const char* file_system, const std::string& options) {
  UniqueFd file;
  std::thread([&] {
    const std::string at = std::filesystem::temp_directory_path();
    if (::unshare(CLONE_FS | CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("own", at.c_str(), file_system, 0, options.c_str()) != 0) {
      return;
    }
    file = UniqueFd(::open((at + "/file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  }).join();
  return file ? std::optional(std::move(file)) : std::nullopt;
}

/// No descriptor can be opened as long as it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(bool really) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    if (really) {
      const rlimit none{1, before_.rlim_max};  // poll() refuses more descriptors than the limit, and one it needs
      REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    }
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

bool may_skip(const char* reason) {
  const char* all = std::getenv("WAGGLE_REQUIRE_ALL");
  if (all != nullptr && std::string_view(all) == "1") {
    FAIL(reason);
  }
  WARN("skipped: " << reason);
  return true;
}

}  // namespace

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

TEST_CASE("a peer that closes within an extent is reported with what arrived") {
  for (const auto& receiver : movers(Side::receiver)) {
    INFO(receiver);
    RawPeer peer = raw_peer("sendfile", receiver, {});
    send_part(peer.socket, kLong, 100000);
    ::shutdown(peer.socket.fd(), SHUT_WR);
    const UniqueFd target = nameless_file();
    ExtentDigester digest(DigestKind::xxh3_128);
    CHECK(next_message(*peer.channel).announces);
    must(peer.channel->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
    const auto event = peer.channel->next(kPatience);
    REQUIRE_FALSE(event);
    CHECK(event.error().fault == Fault::peer_gone);
    CHECK(event.error().text().find("after 100000 of 33554432 bytes") != std::string::npos);
    // A mapping needs a file that is long enough before anything arrives; what has grown by then stays.
    CHECK(size_of(target.get()) <= (receiver == "mmap" ? kLong : 100000));
    CHECK(same_content(target.get(), pattern_file(100000).get(), 0,
                       std::min<std::uint64_t>(size_of(target.get()), 100000)));
    CHECK_FALSE(peer.channel->next(kPatience));
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
      RawPeer peer = raw_peer("sendfile", receiver, options);
      send_part(peer.socket, kLong, 100000);
      const UniqueFd target = nameless_file();
      ExtentDigester digest(DigestKind::xxh3_128);
      CHECK(next_message(*peer.channel).announces);
      must(peer.channel->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
      const auto event = peer.channel->next(kPatience);
      REQUIRE_FALSE(event);
      CHECK(event.error().fault == Fault::timeout);
      CHECK(event.error().text().find("after 100000 of") != std::string::npos);
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
      RawPeer peer = raw_peer("sendfile", receiver, options);
      send_part(peer.socket, kLong, 100000);
      const UniqueFd target = nameless_file();
      ExtentDigester digest(DigestKind::xxh3_128);
      CHECK(next_message(*peer.channel).announces);
      must(peer.channel->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
      CHECK(fault_of(peer, [&] { return peer.channel->next(kPatience); }) == Fault::timeout);
    }
    RawPeer dropped = raw_peer("sendfile", "splice", options);
    send_part(dropped.socket, kLong, 100000);
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
    RawPeer peer = raw_peer("sendfile", receiver, {});
    send_part(peer.socket, kLong, 100000);
    CHECK(next_message(*peer.channel).announces);
    const UniqueFd target = nameless_file();
    Progress progress;
    ExtentDigester digest(DigestKind::xxh3_128);
    digest.observe(&progress);
    must(peer.channel->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
    auto receiving = std::async(std::launch::async, [&] { return peer.channel->next(kPatience).error().fault; });
    while (progress.bytes.load() < 100000) {
      std::this_thread::yield();
    }
    peer.channel->abort();
    CHECK(receiving.get() == Fault::cancelled);
  }
}

TEST_CASE("a full disk is an error by name, and the connection goes on") {
  for (const auto& receiver : movers(Side::receiver)) {
    for (const std::uint64_t length : {kLong, std::uint64_t{3} << 20}) {
      INFO(receiver << ", " << length);
      const auto target = file_on("tmpfs", "size=1m");
      if (!target && may_skip("mounting a small tmpfs needs root")) {
        return;
      }
      const UniqueFd source = pattern_file(kLong);
      Pair pair = connect_pair("sendfile", receiver);
      auto sending = send_later(*pair.sender, source.get(), length);
      ExtentDigester digest(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, length}, Incoming::Sink::file, SharedFd::duplicate(target->get()), &digest}));
      CHECK(next_message(*pair.receiver).announces);
      const Arrival arrival = next_arrival(*pair.receiver);
      REQUIRE_FALSE(arrival.sink);
      CHECK(arrival.sink.error().fault == Fault::no_space);
      CHECK(must(sending.get()).valid == length);
      check_in_step(pair);

      const UniqueFd roomy = nameless_file();
      ExtentDigester second(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(roomy.get()), &second}));
      sending = send_later(*pair.sender, source.get(), kLong);
      CHECK(next_message(*pair.receiver).announces);
      CHECK(next_arrival(*pair.receiver).sink);
      CHECK(must(sending.get()).valid == kLong);
      CHECK(same_content(source.get(), roomy.get(), 0, kLong));
    }
  }
}

TEST_CASE("what others write behind an extent stays when the extent fails") {
  for (const auto& receiver : movers(Side::receiver)) {
    INFO(receiver);
    constexpr std::uint64_t kBehind = kLong + 12345;
    RawPeer peer = raw_peer("sendfile", receiver, {});
    const UniqueFd target = nameless_file();
    Progress progress;
    ExtentDigester digest(DigestKind::xxh3_128);
    digest.observe(&progress);
    must(peer.channel->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
    auto receiving = std::async(std::launch::async, [&] {
      auto message = peer.channel->next(kPatience);
      return message ? peer.channel->next(kPatience) : message;
    });
    send_part(peer.socket, kLong, 100000);
    while (progress.bytes.load() < 100000) {
      std::this_thread::yield();
    }
    const auto theirs = pattern(kBehind, 1000);
    REQUIRE(::pwrite(target.get(), theirs.data(), theirs.size(), kBehind) == 1000);
    ::shutdown(peer.socket.fd(), SHUT_WR);
    CHECK_FALSE(receiving.get());
    CHECK(size_of(target.get()) == kBehind + theirs.size());
    CHECK(same_content(target.get(), pattern_file(kBehind + theirs.size()).get(), kBehind, theirs.size()));
  }
}

TEST_CASE("a file system that cannot reserve room is written all the same") {
  for (const auto& receiver : movers(Side::receiver)) {
    INFO(receiver);
    const auto target = file_on("ramfs", "");
    if (!target && may_skip("mounting a ramfs needs root")) {
      return;
    }
    const UniqueFd source = pattern_file(5 << 20);
    const auto behind = pattern(9 << 20, 1000);
    Pair pair = connect_pair("sendfile", receiver);
    for (int i = 0; i < 2; ++i) {
      auto sending = send_later(*pair.sender, source.get(), 5 << 20);
      ExtentDigester digest(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, 5 << 20}, Incoming::Sink::file, SharedFd::duplicate(target->get()), &digest}));
      CHECK(next_message(*pair.receiver).announces);
      CHECK(next_arrival(*pair.receiver).sink);
      CHECK(must(sending.get()).valid == 5 << 20);
      CHECK(same_content(source.get(), target->get(), 0, 5 << 20));
      CHECK(size_of(target->get()) == (i == 0 ? 5 << 20 : (9 << 20) + behind.size()));
      REQUIRE(::pwrite(target->get(), behind.data(), behind.size(), 9 << 20) == 1000);
    }
  }
}

TEST_CASE("a receiver takes nothing from an extent that failed into the next") {
  for (const auto& receiver : movers(Side::receiver)) {
    for (const bool starved : {false, true}) {
      INFO(receiver << (starved ? ", without a descriptor left" : ""));
      const UniqueFd source = pattern_file(kLong);
      Pair pair = connect_pair("sendfile", receiver);
      UniqueFd sealed(::memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
      REQUIRE(::fcntl(sealed.get(), F_ADD_SEALS, F_SEAL_GROW) == 0);
      ExtentDigester first(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd(std::move(sealed)), &first}));
      auto sending = send_later(*pair.sender, source.get(), kLong);
      CHECK(next_message(*pair.receiver).announces);
      {
        const FewDescriptors few(starved);
        CHECK_FALSE(next_arrival(*pair.receiver).sink);
      }
      CHECK(must(sending.get()).valid == kLong);
      check_in_step(pair);

      const UniqueFd target = nameless_file();
      ExtentDigester second(DigestKind::xxh3_128);
      must(pair.receiver->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &second}));
      sending = send_later(*pair.sender, source.get(), kLong);
      CHECK(next_message(*pair.receiver).announces);
      CHECK(next_arrival(*pair.receiver).sink);
      CHECK(must(sending.get()).valid == kLong);
      CHECK(same_content(source.get(), target.get(), 0, kLong));
      CHECK(second.bytes() == kLong);
    }
  }
}

TEST_CASE("a receiver whose destination was cut digests the next one, not that one") {
  constexpr std::uint64_t kShort = 4U << 20;
  const UniqueFd source = pattern_file(kShort);
  ExtentDigester right(DigestKind::xxh3_128);
  right.update(pattern(0, kShort));
  const Digest expected = right.finish();
  for (const auto& receiver : movers(Side::receiver)) {
    INFO(receiver);
    Pair pair = connect_pair("sendfile", receiver);
    const auto fetch = [&](const UniqueFd& target, ExtentDigester& digest) {
      must(pair.receiver->expect({{7, 0, kShort}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest}));
      auto sending = send_later(*pair.sender, source.get(), kShort);
      CHECK(next_message(*pair.receiver).announces);
      const bool stored = next_arrival(*pair.receiver).sink.has_value();
      CHECK(must(sending.get()).valid == kShort);
      return stored;
    };
    {
      // Most are caught by it within a few extents; none can be sure to be.
      const UniqueFd victim = nameless_file();
      std::jthread cutter([&](const std::stop_token& done) {
        while (!done.stop_requested()) {
          static_cast<void>(::ftruncate(victim.get(), 0));
        }
      });
      ExtentDigester digest(DigestKind::xxh3_128);
      for (int i = 0; i < 10 && fetch(victim, digest); ++i) {
        digest.reset();
      }
    }
    const UniqueFd target = nameless_file();
    ExtentDigester digest(DigestKind::xxh3_128);
    CHECK(fetch(target, digest));
    CHECK(digest.finish() == expected);
    CHECK(same_content(source.get(), target.get(), 0, kShort));
  }
}

TEST_CASE("a destination that somebody else cuts does not end the process") {
  for (const auto& receiver : movers(Side::receiver)) {
    INFO(receiver);
    RawPeer peer = raw_peer("sendfile", receiver, {});
    constexpr std::uint64_t kHalf = kLong / 2 + 100;
    const UniqueFd target = nameless_file();
    Progress progress;
    ExtentDigester digest(DigestKind::xxh3_128);
    digest.observe(&progress);
    auto receiving = std::async(std::launch::async, [&] {
      auto message = peer.channel->next(kPatience);
      auto expected =
          peer.channel->expect({{7, 0, kLong}, Incoming::Sink::file, SharedFd::duplicate(target.get()), &digest});
      return message && expected ? peer.channel->next(kPatience) : message;
    });
    send_part(peer.socket, kLong, kHalf);
    while (progress.bytes.load() < kHalf) {
      std::this_thread::yield();
    }
    REQUIRE(::ftruncate(target.get(), 0) == 0);
    must(peer.socket.send(pattern(kHalf, kLong - kHalf)));
    const Event event = must(receiving.get());
    REQUIRE(event.kind == Event::Kind::extent);
    if (receiver == "mmap") {
      REQUIRE_FALSE(event.arrival.sink);
      CHECK(event.arrival.sink.error().fault == Fault::changed);
    }
    must(peer.socket.send(stream::encode({2, false, {}})));
    must(peer.socket.send(as_bytes("on")));
    CHECK(text_of(next_message(*peer.channel).message) == "on");
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

TEST_CASE("no failure leaves a descriptor open") {
  // After all others of this file: whatever they leaked would have been seen by now as growth.
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
