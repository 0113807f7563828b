// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/digest_cache.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "harness/store/rooted_store.hpp"
#include "harness/store/testing/connection.hpp"

namespace waggle::store {
namespace {

constexpr FileStamp kOld{.size = 3 * kDigestBlock, .modified_ns = 1, .changed_ns = 1};

Digest digest(int value) {
  return digest_of(kKind, std::as_bytes(std::span(&value, 1)));
}

TEST_CASE("known blocks are found until the file changes") {
  DigestCache cache(1'000'000);
  const FileKey file{1, 2, kKind};
  const std::vector<Digest> blocks{digest(0), digest(1)};
  cache.insert(file, kOld, 1, blocks);
  const auto found = cache.blocks(file, kOld, 0, 3);
  CHECK_FALSE(found[0]);
  CHECK(found[1] == digest(0));
  CHECK(found[2] == digest(1));
  CHECK_FALSE(cache.root(file, kOld, 0, 3));
  CHECK(cache.root(file, kOld, 1, 2));
  CHECK_FALSE(cache.root({1, 3, kKind}, kOld, 1, 2));
  CHECK_FALSE(cache.root({1, 2, DigestKind::sha256}, kOld, 1, 1));

  FileStamp changed = kOld;
  changed.changed_ns = 2;
  CHECK_FALSE(cache.root(file, changed, 1, 2));
  CHECK(cache.bytes() == 0);
}

TEST_CASE("what was asked for longest ago is forgotten first, and memory is bounded") {
  DigestCache cache(10'000);
  const std::vector<Digest> blocks{digest(0), digest(1), digest(2)};
  cache.insert({1, 1, kKind}, kOld, 0, blocks);
  for (ino_t inode = 2; inode < 200; ++inode) {
    cache.insert({1, inode, kKind}, kOld, 0, blocks);
    CHECK(cache.root({1, 1, kKind}, kOld, 0, 3));
    CHECK(cache.bytes() <= 10'000);
  }
  CHECK(cache.root({1, 199, kKind}, kOld, 0, 3));
  CHECK_FALSE(cache.root({1, 2, kKind}, kOld, 0, 3));
}

TEST_CASE("a file that is too large for the cache is not cached at all") {
  DigestCache cache(10'000);
  const FileStamp huge{.size = kDigestBlock * 1'000'000, .modified_ns = 1, .changed_ns = 1};
  cache.insert({1, 1, kKind}, huge, 0, std::vector<Digest>{digest(0)});
  CHECK(cache.bytes() == 0);
}

TEST_CASE("nothing is remembered of a file that is being written") {
  DigestCache cache(10'000);
  const std::vector<Digest> blocks{digest(0)};
  cache.insert({1, 1, kKind}, kOld, 0, blocks);
  cache.begin_writing(1, 1);
  CHECK_FALSE(cache.root({1, 1, kKind}, kOld, 0, 1));
  cache.insert({1, 1, kKind}, kOld, 0, blocks);
  CHECK_FALSE(cache.root({1, 1, kKind}, kOld, 0, 1));
  cache.end_writing(1, 1);
  cache.insert({1, 1, kKind}, kOld, 0, blocks);
  CHECK(cache.root({1, 1, kKind}, kOld, 0, 1));
}

TEST_CASE("nothing is remembered of a file that was changed within a tick of the clock") {
  DigestCache cache(10'000);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t now_ns = now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  const FileStamp fresh{.size = kDigestBlock, .modified_ns = now_ns, .changed_ns = now_ns};
  cache.insert({1, 1, kKind}, fresh, 0, std::vector<Digest>{digest(0)});
  CHECK(cache.bytes() == 0);
}

/// Through the service: what clients are told.
TEST_CASE_METHOD(TestConnection, "digests are those of the blocks, from any offset") {
  const auto kind = GENERATE(DigestKind::xxh3_128, DigestKind::sha256);
  const std::string content = random_text(2 * kDigestBlock + 777, 3);
  write_file(top / "a", content);
  const auto bytes = std::as_bytes(std::span(content));
  const auto file = files->open("a", false).value().file;
  CHECK(files->digests(file, 0, bytes.size(), kind) ==
        std::vector<Digest>{digest_of(kind, bytes.first(kDigestBlock)),
                            digest_of(kind, bytes.subspan(kDigestBlock, kDigestBlock)),
                            digest_of(kind, bytes.subspan(2 * kDigestBlock))});
  CHECK(files->digests(file, 5, 100, kind) == std::vector<Digest>{digest_of(kind, bytes.subspan(5, 100))});
  CHECK(files->digests(file, 0, 100, kind) == std::vector<Digest>{digest_of(kind, bytes.first(100))});
  CHECK(files->digests(file, 0, 0, kind).value().empty());
  CHECK(files->digests(file, 0, bytes.size() + 1, kind).error().fault == Fault::changed);
  CHECK(files->digests(file, ~std::uint64_t{0}, 2, kind).error().fault == Fault::changed);
}

TEST_CASE_METHOD(TestConnection,
                 "a root is known once the blocks were read, to all connections, until the file changes") {
  const std::string content = random_text(kDigestBlock + 1, 4);
  const auto bytes = std::as_bytes(std::span(content));
  write_file(top / "a", content);
  ExtentDigester digester(kKind);
  digester.update(bytes);
  const Digest expected = digester.finish();

  const auto file = files->open("a", false).value().file;
  CHECK(files->known_digest(file, 0, bytes.size(), kKind).error().fault == Fault::not_found);
  CHECK(files->known_digest(file, 7, 0, kKind) == digest_of(kKind, {}));
  // Too fresh at first; asked again until the file has become old enough to be remembered.
  auto others = store.connect();
  const auto same = others->open("a", false).value().file;
  while (!others->known_digest(same, 0, bytes.size(), kKind)) {
    REQUIRE(files->digests(file, 0, bytes.size(), kKind));
  }
  CHECK(others->known_digest(same, 0, bytes.size(), kKind) == expected);
  CHECK_FALSE(others->known_digest(same, 0, 5, kKind));
  CHECK_FALSE(others->known_digest(same, 1, bytes.size() - 1, kKind));

  write_file(top / "a", random_text(content.size(), 5));
  CHECK_FALSE(others->known_digest(same, 0, bytes.size(), kKind));
}

TEST_CASE_METHOD(TestConnection, "while a file is open for writing its digests are always read") {
  const std::string content = random_text(1'000, 6);
  write_file(top / "a", content);
  const auto writer = files->open("a", true).value().file;
  auto others = store.connect();
  const auto reader = others->open("a", false).value().file;
  REQUIRE(others->digests(reader, 0, content.size(), kKind));
  CHECK_FALSE(others->known_digest(reader, 0, content.size(), kKind));
  REQUIRE(::pwrite(files->descriptor(writer).get(), "x", 1, 0) == 1);
  const std::string now = read_file(top / "a");
  CHECK(others->digests(reader, 0, now.size(), kKind) ==
        std::vector<Digest>{digest_of(kKind, std::as_bytes(std::span(now)))});
}

}  // namespace
}  // namespace waggle::store
