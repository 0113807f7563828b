// SPDX-License-Identifier: BSD-2-Clause
#include "workloads/content.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "base/testing/folder.hpp"
#include "base/unique_fd.hpp"
#include "workloads/workload.hpp"

using namespace waggle;
using namespace waggle::workloads;

namespace {

using Scratch = test::Folder;

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a random file has the asked size and depends on the seed alone") {
  Scratch scratch;
  const std::uint64_t size = GENERATE(0U, 1U, 7U, 4096U, 600'001U);
  REQUIRE(make_random_file(scratch.path() / "a", size, 7));
  REQUIRE(make_random_file(scratch.path() / "b", size, 7));
  REQUIRE(make_random_file(scratch.path() / "c", size, 8));
  const auto a = content(scratch.path() / "a");
  CHECK(a.size() == size);
  CHECK(a == content(scratch.path() / "b"));
  CHECK((size < 7 || a != content(scratch.path() / "c")));
}

TEST_CASE("random content cannot be compressed by counting bytes") {
  Random random(1);
  std::vector<std::byte> bytes(1 << 20);
  random.fill(bytes);
  std::array<int, 256> counts{};
  for (const auto byte : bytes) {
    ++counts[static_cast<std::size_t>(byte)];
  }
  for (const int count : counts) {
    CHECK(std::abs(count - 4096) < 400);
  }
}

TEST_CASE("below() stays below its bound and reaches every value") {
  Random random(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random.below(10));
  }
  CHECK(seen.size() == 10);
  CHECK(*seen.rbegin() == 9);
}

TEST_CASE("a tree holds the asked number of files with sizes inside the bounds") {
  Scratch scratch;
  REQUIRE(make_tree(scratch.path(), 250, 10, 20, 5));
  std::uint64_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path())) {
    if (entry.is_regular_file()) {
      ++files;
      CHECK(entry.file_size() >= 10);
      CHECK(entry.file_size() <= 20);
    }
  }
  CHECK(files == 250);
  CHECK(std::filesystem::exists(scratch.path() / tree_file(249)));
}

TEST_CASE("a tree whose smallest file is larger than its largest is refused") {
  Scratch scratch;
  const auto made = make_tree(scratch.path(), 1, 20, 10, 5);
  REQUIRE_FALSE(made);
  CHECK(made.error().fault == Fault::usage);
}

TEST_CASE("every workload of the documents is registered under its name") {
  for (const auto* name : {"download", "upload", "small-files", "metadata", "rr", "rand-read"}) {
    const auto found = find_workload(name);
    REQUIRE(found);
    CHECK((*found)->name() == name);
  }
  const auto missing = find_workload("nonsense");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().fault == Fault::usage);
  CHECK(missing.error().hint.find("small-files") != std::string::npos);
}

TEST_CASE("merged outcomes span from the first start to the last end and add up") {
  Outcome one{.payload_bytes = 10, .operations = 1, .start_ns = 100, .end_ns = 200, .verify_ns = 5};
  one.latency_ns["read"].record(7);
  Outcome two{.payload_bytes = 20, .operations = 2, .start_ns = 50, .end_ns = 150, .verify_ns = 6};
  two.latency_ns["read"].record(9);
  Outcome sum;
  sum.merge(one);
  sum.merge(two);
  CHECK(sum.payload_bytes == 30);
  CHECK(sum.operations == 3);
  CHECK(sum.start_ns == 50);
  CHECK(sum.end_ns == 200);
  CHECK(sum.latency_ns["read"].count() == 2);
}
