// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "harness/store/content_watch.hpp"
#include "harness/store/rooted_store.hpp"
#include "harness/store/testing/connection.hpp"

namespace waggle::store {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kPiece = 2 * kDigestBlock;

/// A file of three extents, the last of them short; the first two were sent.
struct PartlySent {
  PartlySent() : content(random_text(2 * kPiece + 99, 1)) {
    write_file(top / "a", content);
    files = RootedStore::open(top.path()).value().connect();
    wait_for_a_tick();
    opened = files->open("a", false).value();
    send(0, kPiece);
    send(kPiece, kPiece);
  }

  void send(std::uint64_t offset, std::uint64_t length) {
    ExtentDigester digester(kKind);
    digester.update(std::as_bytes(std::span(content).subspan(offset, length)));
    files->sent(opened.file, offset, length, kKind, digester.finish());
  }
  bool unchanged() { return files->attributes(opened.file).value().version == opened.attributes.version; }
  struct stat status() const {
    struct stat now{};
    REQUIRE(::fstat(files->descriptor(opened.file).get(), &now) == 0);
    return now;
  }
  /// Until a change cannot have the time stamps of what is there: a condition of this test, not of the code.
  void wait_for_a_tick() const {
    const fs::path probe = top.path() / "probe";
    struct stat first{};
    struct stat later{};
    write_file(probe, "x");
    REQUIRE(::stat(probe.c_str(), &first) == 0);
    do {
      write_file(probe, "x");
      REQUIRE(::stat(probe.c_str(), &later) == 0);
    } while ((later.st_ctim.tv_sec - first.st_ctim.tv_sec) * 1'000'000'000 + later.st_ctim.tv_nsec -
                 first.st_ctim.tv_nsec <
             30'000'000);
  }
  void set_time_back(const struct stat& before) const {
    const std::array times{before.st_atim, before.st_mtim};
    REQUIRE(::utimensat(AT_FDCWD, (top / "a").c_str(), times.data(), 0) == 0);
  }

  TestDirectory top;
  std::string content;
  std::unique_ptr<protocol::FileService> files;
  protocol::FileService::Opened opened;
};

TEST_CASE_METHOD(PartlySent, "another name, mode or link is no change of content") {
  SECTION("renamed") {
    fs::rename(top / "a", top / "b");
  }
  SECTION("removed") {
    fs::remove(top / "a");
  }
  SECTION("replaced") {
    write_file(top / "new", "another file");
    fs::rename(top / "new", top / "a");
  }
  SECTION("another mode") {
    fs::permissions(top / "a", fs::perms(0600));
  }
  SECTION("another link, and one less") {
    fs::create_hard_link(top / "a", top / "b");
    CHECK(unchanged());
    fs::remove(top / "a");
  }
  const auto before = opened.attributes;
  CHECK(unchanged());
  send(2 * kPiece, 99);
  CHECK(unchanged());
  CHECK(files->digests(opened.file, 0, content.size(), kKind));
  CHECK(before.size == content.size());
}

TEST_CASE_METHOD(PartlySent, "content that changes is told, whatever its time of modification says") {
  const struct stat before = status();
  const bool hide = GENERATE(false, true);
  SECTION("written in place") {
    const UniqueFd file(::open((top / "a").c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::pwrite(file.get(), "changed", 7, kPiece + 5) == 7);
  }
  SECTION("written through a mapping") {
    const UniqueFd file(::open((top / "a").c_str(), O_RDWR | O_CLOEXEC));
    void* const at = ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    REQUIRE(at != MAP_FAILED);
    static_cast<char*>(at)[100] ^= 1;
    REQUIRE(::msync(at, kPiece, MS_SYNC) == 0);
    REQUIRE(::munmap(at, kPiece) == 0);
  }
  if (hide) {
    set_time_back(before);
    CHECK(status().st_mtim.tv_nsec == before.st_mtim.tv_nsec);
  }
  CHECK_FALSE(unchanged());
}

TEST_CASE_METHOD(PartlySent, "a file that grows or shrinks has changed") {
  CHECK(::truncate((top / "a").c_str(), GENERATE(0, 2 * kPiece, 10 * kPiece)) == 0);
  CHECK_FALSE(unchanged());
}

TEST_CASE_METHOD(PartlySent, "what has not been sent may change unseen, as nobody has it") {
  const struct stat before = status();
  const UniqueFd file(::open((top / "a").c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::pwrite(file.get(), "changed", 7, 2 * kPiece) == 7);
  set_time_back(before);
  CHECK(unchanged());
}

TEST_CASE_METHOD(PartlySent, "a file that was read in too many places has changed when any time has") {
  for (std::uint64_t i = 0; i < 40; ++i) {
    send(i * 1000, 10);
  }
  CHECK(unchanged());
  fs::permissions(top / "a", fs::perms(0600));
  CHECK_FALSE(unchanged());
}

TEST_CASE("a change in the same tick as the one before is seen") {
  TestDirectory top;
  const auto files = RootedStore::open(top.path()).value().connect();
  write_file(top / "a", "old");
  const auto opened = files->open("a", false).value();
  ExtentDigester digester(kKind);
  digester.update(std::as_bytes(std::span(std::string_view("old"))));
  files->sent(opened.file, 0, 3, kKind, digester.finish());
  CHECK(files->attributes(opened.file).value().version == opened.attributes.version);
  write_file(top / "a", "new");
  CHECK(files->attributes(opened.file).value().version != opened.attributes.version);
}

/// A file of many blocks of one byte, watched by itself.
struct Watched {
  explicit Watched(std::uint64_t most_read_again = protocol::kMostReadAgain) {
    write_file(top / "a", std::string(kBlocks * kBlock, 'a'));
    file = UniqueFd(::open((top / "a").c_str(), O_RDWR | O_CLOEXEC));
    watch = ContentWatch(status(), most_read_again);
    first = watch.version(file.get(), status(), reader);
  }
  struct stat status() const {
    struct stat now{};
    REQUIRE(::fstat(file.get(), &now) == 0);
    return now;
  }
  void send(std::uint64_t block) {
    ExtentDigester digester(kKind);
    digester.update(std::vector<std::byte>(kBlock, std::byte{'a'}));
    watch.sent(block * kBlock, kBlock, kKind, digester.finish());
  }

  static constexpr std::uint64_t kBlock = 8192;
  static constexpr std::uint64_t kBlocks = 40;
  TestDirectory top;
  UniqueFd file;
  BlockReader reader;
  ContentWatch watch;
  std::uint64_t first = 0;
};

TEST_CASE("a change in the same tick is seen wherever a file was read") {
  Watched watched;
  // What a kernel that stamps by the tick says before and after; begun anew until it was looked at within that tick.
  struct stat same = watched.status();
  timespec now{};
  do {
    ::clock_gettime(CLOCK_REALTIME, &same.st_ctim);
    watched.watch = ContentWatch(same);
    ::clock_gettime(CLOCK_REALTIME, &now);
  } while (now.tv_sec != same.st_ctim.tv_sec || now.tv_nsec - same.st_ctim.tv_nsec > kTickNs / 2);
  for (std::uint64_t i = 0; i < 20; ++i) {
    watched.send(Watched::kBlocks - 1 - 2 * i);
  }
  const std::uint64_t before = ContentWatch(same).version(watched.file.get(), same, watched.reader);
  REQUIRE(::pwrite(watched.file.get(), "b", 1, (Watched::kBlocks - 1 - 2 * 18) * Watched::kBlock) == 1);
  CHECK(watched.watch.version(watched.file.get(), same, watched.reader) != before);
}

TEST_CASE("others cannot have what was sent read again without end") {
  Watched watched(7 * Watched::kBlock);
  watched.send(0);
  watched.send(1);
  // Moves of the time of change: two blocks each time, and a fourth would be the eighth block.
  struct stat now = watched.status();
  const auto moved = [&] {
    now.st_ctim.tv_sec += 1;
    return watched.watch.version(watched.file.get(), now, watched.reader);
  };
  CHECK(moved() == watched.first);
  CHECK(moved() == watched.first);
  CHECK(moved() == watched.first);
  CHECK(moved() != watched.first);
}

}  // namespace
}  // namespace waggle::store
