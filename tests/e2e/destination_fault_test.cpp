// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <optional>
#include <thread>

#include "tests/e2e/faults.hpp"

// What can go wrong with a destination while an extent moves, for every receiver: always an error by name, and both
// sides still agree on where they are.

namespace waggle::test {
namespace {

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

}  // namespace waggle::test
