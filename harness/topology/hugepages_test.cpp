// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/hugepages.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/require.hpp"
#include "harness/topology/work_directory.hpp"

using namespace waggle;
using namespace waggle::topology;

namespace {

std::uint64_t memory_info(const std::string& wanted) {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  std::uint64_t value = 0;
  while (meminfo >> name >> value && name != wanted) {
    meminfo.ignore(64, '\n');
  }
  return value;
}

std::uint64_t total() {
  return memory_info("HugePages_Total:");
}

std::uint64_t page() {
  return memory_info("Hugepagesize:") * 1024;
}

WorkDirectory work_directory() {
  const char* place = std::getenv("TMPDIR");
  auto work = WorkDirectory::create(place != nullptr ? place : "/var/tmp");
  REQUIRE(work);
  return *std::move(work);
}

std::uint64_t four() {
  return 4 * page();
}

/// Ends the test program as skipped where no page can be had.
void need_hugepages() {
  const auto work = work_directory();
  const auto tried = Hugepages::reserve(four(), work.path());
  if (!tried) {
    test::cannot_run(tried.error());
  }
}

}  // namespace

TEST_CASE("hugepages are reserved, and given back exactly") {
  need_hugepages();
  const auto work = work_directory();
  const std::uint64_t before = total();
  {
    const auto reserved = Hugepages::reserve(four(), work.path());
    REQUIRE(reserved);
    CHECK(total() == before + 4);
    CHECK(reserved->mode().requested == reserved->mode().granted);
  }
  CHECK(total() == before);
  CHECK(std::filesystem::is_empty(work.path()));
}

TEST_CASE("several that take and give at the same time leave what was there") {
  need_hugepages();
  const std::uint64_t before = total();
  std::vector<WorkDirectory> places;
  for (int i = 0; i < 8; ++i) {
    places.push_back(work_directory());
  }
  const std::uint64_t wanted = four();
  std::vector<std::thread> threads;
  for (const auto& place : places) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        static_cast<void>(Hugepages::reserve(wanted, place.path()));
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(total() == before);
}

TEST_CASE("each has pages of its own, though others are free at the moment") {
  need_hugepages();
  const auto first = work_directory();
  const auto second = work_directory();
  std::optional one(Hugepages::reserve(four(), first.path()));
  REQUIRE(*one);
  const std::uint64_t free = memory_info("HugePages_Free:");
  const auto other = Hugepages::reserve(2 * page(), second.path());
  REQUIRE(other);
  CHECK(memory_info("HugePages_Free:") == free + 2);
  one.reset();
  CHECK(memory_info("HugePages_Free:") == free - 2);
}

TEST_CASE("pages that are in use when they are given back go with their user") {
  need_hugepages();
  const auto first = work_directory();
  const auto second = work_directory();
  const std::uint64_t before = total();
  std::optional reserved(Hugepages::reserve(four(), first.path()));
  REQUIRE(*reserved);
  const std::uint64_t size = memory_info("HugePages_Free:") * page();
  void* const used =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
  REQUIRE(used != MAP_FAILED);
  reserved.reset();
  CHECK(total() == before + 4);
  // Another one meanwhile neither keeps them nor takes them for its own.
  {
    const auto other = Hugepages::reserve(2 * page(), second.path());
    REQUIRE(other);
    CHECK(memory_info("HugePages_Free:") == 2);
  }
  REQUIRE(::munmap(used, size) == 0);
  CHECK(total() == before);
}

TEST_CASE("what a killed program has reserved is given back by the sweep") {
  need_hugepages();
  const auto parent = work_directory();
  const std::uint64_t before = total();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto own = WorkDirectory::create(parent.path());
    const auto reserved = Hugepages::reserve(four(), own->path());
    ::kill(::getpid(), SIGKILL);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(total() == before + 4);
  REQUIRE(WorkDirectory::sweep(parent.path()));
  CHECK(total() == before);
}

TEST_CASE("a note never takes away what it did not add") {
  need_hugepages();
  const auto work = work_directory();
  const std::uint64_t before = total();
  // As if killed between the note and the deed.
  std::ofstream(work.path() / "hugepages") << -1 << ' ' << before << ' ' << 3 << '\n';
  const auto returned = Hugepages::give_back(work.path());
  REQUIRE(returned);
  CHECK(*returned == 0);
  CHECK(total() == before);
}

TEST_CASE("too much is refused with the command that would help") {
  need_hugepages();
  const auto work = work_directory();
  const std::uint64_t before = total();
  const auto reserved = Hugepages::reserve(std::uint64_t{1} << 50, work.path());
  REQUIRE_FALSE(reserved);
  CHECK(reserved.error().fault == Fault::missing);
  CHECK(reserved.error().hint.find("nr_hugepages") != std::string::npos);
  CHECK(total() == before);
}
