// SPDX-License-Identifier: BSD-2-Clause
#include "harness/record/file.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

using namespace waggle;
using namespace waggle::record;
using nlohmann::json;

namespace {

std::filesystem::path temporary(const std::string& name) {
  const char* place = std::getenv("TMPDIR");
  return std::filesystem::path(place != nullptr ? place : "/tmp") / (std::to_string(::getpid()) + "-" + name);
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// From now on the kernel refuses the calling thread what some file systems lack (man 2 seccomp): hard links, renaming
/// without replacing and, where `any_rename`, renaming at all.
void refuse_links(bool any_rename) {
  constexpr auto kNumber = static_cast<__u32>(offsetof(seccomp_data, nr));
  constexpr auto kFlags = static_cast<__u32>(offsetof(seccomp_data, args[4]));
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber)};
  const auto refuse = [&](long call, __u32 why) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | why));
  };
#ifdef SYS_link
  refuse(SYS_link, EPERM);
#endif
  refuse(SYS_linkat, EPERM);
  if (any_rename) {
#ifdef SYS_rename
    refuse(SYS_rename, EROFS);
#endif
#ifdef SYS_renameat
    refuse(SYS_renameat, EROFS);
#endif
    refuse(SYS_renameat2, EROFS);
  }
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(SYS_renameat2), 0, 3));
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFlags));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == 0);
  REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

}  // namespace

TEST_CASE("a record is written whole and leaves nothing beside it") {
  const auto directory = temporary("records");
  std::filesystem::create_directory(directory);
  REQUIRE(write_record(directory / "r.json", json{{"a", 1}}));
  CHECK(content(directory / "r.json") == "{\"a\":1}\n");
  CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 1);
  const auto refused = write_record(directory / "no" / "r.json", json::object());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::not_found);
  std::filesystem::remove_all(directory);
}

TEST_CASE("a record takes a free name and leaves every other file alone") {
  const auto directory = temporary("names");
  std::filesystem::create_directory(directory);
  const auto path = directory / "r.x.json";
  CHECK(write_record(path, 1).value() == path);
  std::filesystem::create_symlink("nowhere", directory / "r.x-2.json");
  CHECK(write_record(path, 3).value() == directory / "r.x-3.json");
  CHECK(write_record(path, 4).value() == directory / "r.x-4.json");
  CHECK(content(path) == "1\n");
  CHECK(content(directory / "r.x-3.json") == "3\n");
  CHECK(std::filesystem::is_symlink(directory / "r.x-2.json"));
  // A process of this number was killed while it wrote: what it left is in nobody's way.
  std::filesystem::rename(path, directory / ("new.json." + std::to_string(::getpid()) + ".0.part"));
  CHECK(write_record(directory / "new.json", 5).value() == directory / "new.json");
  CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 5);
  std::filesystem::remove_all(directory);
}

TEST_CASE("where there are no hard links, a record overwrites nothing either, and is not lost") {
  const auto directory = temporary("no-links");
  std::filesystem::create_directory(directory);
  std::thread([&] {
    refuse_links(false);
    CHECK(write_record(directory / "r.json", 1).value() == directory / "r.json");
    CHECK(write_record(directory / "r.json", 2).value() == directory / "r-2.json");
    CHECK(content(directory / "r.json") == "1\n");
    CHECK(content(directory / "r-2.json") == "2\n");
    CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 2);
    refuse_links(true);
    const auto refused = write_record(directory / "r.json", 3);
    REQUIRE_FALSE(refused);
    const auto kept = directory / ("r.json." + std::to_string(::getpid()) + ".0.part");
    CHECK(refused.error().hint == "the record is " + kept.string() + "; rename it");
    CHECK(content(kept) == "3\n");
    CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 3);
  }).join();
  std::filesystem::remove_all(directory);
}

TEST_CASE("records that are written at once are all kept, each whole") {
  const auto directory = temporary("at-once");
  std::filesystem::create_directory(directory);
  constexpr int kWriters = 8;
  std::vector<std::jthread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      static_cast<void>(write_record(directory / "r.json", json(std::string(300'000, static_cast<char>('a' + i)))));
    });
  }
  writers.clear();
  std::set<std::string> contents;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string text = content(entry.path());
    CHECK(text.size() == 300'003);
    contents.insert(text);
  }
  CHECK(contents.size() == kWriters);
  std::filesystem::remove_all(directory);
}

TEST_CASE("what is no regular file is written to, not replaced") {
  const auto fifo = temporary("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = ::open(fifo.c_str(), O_RDWR);
  REQUIRE(write_record(fifo, json::array()));
  char text[8] = {};
  CHECK(::read(reader, text, sizeof text) == 3);
  struct stat status{};
  REQUIRE(::lstat(fifo.c_str(), &status) == 0);
  CHECK(S_ISFIFO(status.st_mode));
  ::close(reader);
  std::filesystem::remove(fifo);
}
