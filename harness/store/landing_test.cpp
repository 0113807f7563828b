// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/landing.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "harness/store/testing/connection.hpp"

namespace waggle::store {
namespace {

namespace fs = std::filesystem;

std::vector<Digest> blocks_of(std::string_view content) {
  std::vector<Digest> blocks;
  for (std::size_t offset = 0; offset < content.size(); offset += kDigestBlock) {
    blocks.push_back(digest_of(kKind, std::as_bytes(std::span(content.substr(offset, kDigestBlock)))));
  }
  return blocks;
}

void put(const Landing& landing, std::string_view bytes, std::uint64_t offset) {
  REQUIRE(::pwrite(landing.file().get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(bytes.size()));
}

TEST_CASE("a file lands under its name only when committed") {
  TestDirectory top;
  write_file(top / "a", "old");
  {
    auto landing = Landing::open(top / "a", 3, 0600, false).value();
    CHECK(landing.write(std::as_bytes(std::span(std::string_view("new")))));
    CHECK(read_file(top / "a") == "old");
    CHECK(landing.commit(true));
  }
  CHECK(read_file(top / "a") == "new");
  CHECK(std::distance(fs::directory_iterator(top.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a landing that fails leaves nothing, unless it is kept") {
  TestDirectory top;
  const bool keep = GENERATE(false, true);
  {
    auto landing = Landing::open(top / "a", 1'000'000, 0644, false).value();
    if (keep) {
      landing.keep();
    }
  }
  CHECK(fs::is_empty(top.path()) == !keep);
}

TEST_CASE("names that cannot be a file's are refused with a remedy") {
  TestDirectory top;
  fs::create_directory(top / "d");
  CHECK(Landing::open(top / "d", 1, 0644, false).error().fault == Fault::exists);
  CHECK(Landing::open(top / "d/", 1, 0644, false).error().fault == Fault::usage);
  CHECK(Landing::open(top / "d/..", 1, 0644, false).error().fault == Fault::usage);
  CHECK(Landing::open(top / "none/a", 1, 0644, false).error().fault == Fault::not_found);
  CHECK_FALSE(Landing::open(top / "none/a", 1, 0644, false).error().hint.empty());
}

TEST_CASE("resuming fetches only what is missing or wrong") {
  TestDirectory top;
  const std::string content = random_text(5 * kDigestBlock + 99, 1);
  const auto digests = blocks_of(content);
  {
    auto first = Landing::open(top / "a", content.size(), 0644, true).value();
    CHECK_FALSE(first.resumed());
    put(first, std::string_view(content).substr(0, 3 * kDigestBlock), 0);
    put(first, "damaged", kDigestBlock + 5);
    first.keep();
  }
  auto second = Landing::open(top / "a", content.size(), 0644, true).value();
  REQUIRE(second.resumed());
  const auto gaps = second.missing(0, content.size(), digests, kKind).value();
  CHECK(gaps == std::vector<Landing::Gap>{{kDigestBlock, kDigestBlock}, {3 * kDigestBlock, 2 * kDigestBlock + 99}});
  for (const auto& gap : gaps) {
    put(second, std::string_view(content).substr(gap.offset, gap.length), gap.offset);
  }
  CHECK(second.missing(0, content.size(), digests, kKind).value().empty());
  CHECK(second.commit(false));
  CHECK(read_file(top / "a") == content);
}

TEST_CASE("digests for another length are refused") {
  TestDirectory top;
  auto landing = Landing::open(top / "a", 2 * kDigestBlock, 0644, false).value();
  CHECK(landing.missing(0, 2 * kDigestBlock, blocks_of("one block"), kKind).error().fault == Fault::protocol);
}

TEST_CASE("what was kept for a file of another size is not continued") {
  TestDirectory top;
  {
    auto first = Landing::open(top / "a", 1'000'000, 0644, true).value();
    first.keep();
  }
  CHECK_FALSE(Landing::open(top / "a", 999'999, 0644, true).value().resumed());
}

TEST_CASE("two landings of one file at once: the second is refused") {
  TestDirectory top;
  const auto first = Landing::open(top / "a", 10, 0644, false).value();
  CHECK(Landing::open(top / "a", 10, 0644, false).error().fault == Fault::busy);
}

}  // namespace
}  // namespace waggle::store
