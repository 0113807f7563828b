// SPDX-License-Identifier: BSD-2-Clause
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "harness/store/rooted_store.hpp"
#include "harness/store/testing/connection.hpp"

namespace waggle::store {
namespace {

namespace fs = std::filesystem;

struct Uploads : TestConnection {
  void put(protocol::FileId file, std::string_view bytes, std::uint64_t offset = 0) {
    REQUIRE(::pwrite(files->descriptor(file).get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(bytes.size()));
  }
  std::size_t names() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(top.path()), fs::directory_iterator()));
  }
};

TEST_CASE_METHOD(Uploads, "an upload appears under its name when it is committed, not before") {
  const bool durable = GENERATE(false, true);
  fs::create_directory(top / "d");
  write_file(top / "d/a", "old");
  const auto upload = files->create("d/a", 5, 0640, false).value();
  put(upload.file, "fresh");
  CHECK(read_file(top / "d/a") == "old");
  CHECK(files->list("d", 0, 10).value().entries.size() == 1);
  CHECK(files->commit(upload.file, durable));
  files->close(upload.file, false);
  CHECK(read_file(top / "d/a") == "fresh");
  CHECK(files->attributes("d/a").value().mode == 0640);
  CHECK(std::distance(fs::directory_iterator(top / "d"), fs::directory_iterator()) == 1);
}

TEST_CASE_METHOD(Uploads, "the client's mode counts, whatever the umask") {
  const std::uint32_t mode = GENERATE(0666U, 0444U, 0400U, 0777U);
  const mode_t before = ::umask(027);
  const auto upload = files->create("a", 0, mode, false).value();
  CHECK(files->commit(upload.file, false));
  ::umask(before);
  CHECK(files->attributes("a").value().mode == mode);
  CHECK(files->create("b", 0, 04755, false).error().fault == Fault::denied);
}

TEST_CASE_METHOD(Uploads, "an upload that is closed or lost without commit leaves nothing") {
  const auto upload = files->create("a", 3, 0644, false).value();
  put(upload.file, "abc");
  SECTION("closed") {
    files->close(upload.file, false);
  }
  SECTION("lost with its connection") {
    files.reset();
  }
  CHECK(names() == 0);
}

TEST_CASE_METHOD(Uploads, "a short upload is never committed") {
  const auto upload = files->create("a", 10, 0644, false).value();
  put(upload.file, "abc");
  CHECK(files->commit(upload.file, false).error().fault == Fault::corrupt);
  CHECK_FALSE(fs::exists(top / "a"));
}

TEST_CASE_METHOD(Uploads, "two uploads of one path at once: the second is refused") {
  auto others = store.connect();
  const auto upload = files->create("a", 3, 0644, false).value();
  CHECK(others->create("a", 3, 0644, false).error().fault == Fault::busy);
  CHECK(others->create("a", 3, 0644, true).error().fault == Fault::busy);
  CHECK(others->create("b", 3, 0644, false));
  put(upload.file, "abc");
  CHECK(files->commit(upload.file, false));
  files->close(upload.file, false);
  CHECK(others->create("a", 3, 0644, false));
}

TEST_CASE_METHOD(Uploads, "clients can neither see nor touch partial files") {
  REQUIRE(files->create("a", 3, 0644, false));
  const std::string hidden = fs::directory_iterator(top.path())->path().filename();
  CHECK(files->open(hidden, false).error().fault == Fault::not_found);
  CHECK(files->attributes(hidden).error().fault == Fault::not_found);
  CHECK_FALSE(files->remove(hidden));
  CHECK_FALSE(files->rename(hidden, "b"));
  CHECK_FALSE(files->create(hidden, 1, 0644, false));
  CHECK(files->list("", 0, 10).value().entries.empty());
}

TEST_CASE_METHOD(Uploads, "a kept upload is continued where it broke") {
  const std::string content = random_text(3 * kDigestBlock + 100, 1);
  const auto kind = DigestKind::xxh3_128;
  auto upload = files->create("a", content.size(), 0644, false).value();
  put(upload.file, std::string_view(content).substr(0, kDigestBlock + 10));
  files->close(upload.file, true);
  CHECK(names() == 1);
  CHECK_FALSE(fs::exists(top / "a"));

  auto later = store.connect();
  upload = later->create("a", content.size(), 0644, true).value();
  CHECK(upload.attributes.size == content.size());
  const auto digests = later->digests(upload.file, 0, content.size(), kind).value();
  REQUIRE(digests.size() == 4);
  const auto bytes = std::as_bytes(std::span(content));
  CHECK(digests[0] == digest_of(kind, bytes.first(kDigestBlock)));
  CHECK(digests[1] != digest_of(kind, bytes.subspan(kDigestBlock, kDigestBlock)));
  REQUIRE(::pwrite(later->descriptor(upload.file).get(), content.data() + kDigestBlock, content.size() - kDigestBlock,
                   static_cast<off_t>(kDigestBlock)) > 0);
  CHECK(later->commit(upload.file, true));
  later->close(upload.file, false);
  CHECK(read_file(top / "a") == content);
  CHECK(names() == 1);
}

TEST_CASE_METHOD(Uploads, "what was kept for another size, or without asking, is not continued") {
  auto upload = files->create("a", 1'000'000, 0644, false).value();
  put(upload.file, "left over");
  files->close(upload.file, true);
  std::uint64_t size = 1'000'000;
  bool resume = true;
  SECTION("another size") {
    size = 999'999;
  }
  SECTION("not asked for") {
    resume = false;
  }
  upload = files->create("a", size, 0644, resume).value();
  std::string start(9, 'x');
  REQUIRE(::pread(files->descriptor(upload.file).get(), start.data(), 9, 0) == 9);
  CHECK(start == std::string(9, '\0'));
}

TEST_CASE_METHOD(Uploads, "only uploads can be committed") {
  write_file(top / "a", "x");
  const auto opened = files->open("a", true).value();
  CHECK(files->commit(opened.file, false).error().fault == Fault::protocol);
}

TEST_CASE_METHOD(Uploads, "a file that cannot fit is refused before a byte has moved") {
  CHECK(files->create("huge", std::uint64_t{1} << 60U, 0644, false).error().fault == Fault::no_space);
  CHECK(names() == 0);
}

}  // namespace
}  // namespace waggle::store
