// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/report_folder.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "harness/answers/testing/folder.hpp"

namespace waggle::answers {
namespace {

namespace fs = std::filesystem;
using testing::Folder;

/// From now on the kernel refuses the calling thread what some file systems lack (man 2 seccomp): renameat2() that does
/// more than to rename.
void refuse_exchange() {
  std::array<sock_filter, 6> program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offsetof(seccomp_data, nr))),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(SYS_renameat2), 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offsetof(seccomp_data, args[4]))),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == 0);
  REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

TEST_CASE("what was put into an earlier report meanwhile is not taken away") {
  const Folder folder;
  folder.write("report/report.json", "1");
  auto made = ReportFolder::make(folder.path() / "report");
  REQUIRE(made);
  REQUIRE(made->write("report.json", "2"));
  folder.write("report/notes.txt", "mine");
  CHECK_FALSE(made->publish());
  CHECK(fs::exists(folder.path() / "report/notes.txt"));
}

TEST_CASE("an earlier report is replaced where names cannot be exchanged, too") {
  const Folder folder;
  folder.write("report/report.json", "1");
  std::thread([&] {
    refuse_exchange();
    auto made = ReportFolder::make(folder.path() / "report");
    REQUIRE(made);
    REQUIRE(made->write("report.json", "2"));
    REQUIRE(made->publish());
  }).join();
  std::ifstream file(folder.path() / "report/report.json");
  CHECK(std::string{std::istreambuf_iterator<char>(file), {}} == "2");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a report takes its place whole, over an earlier one alone") {
  const Folder folder;
  const auto place = folder.path() / "report";
  {
    auto made = ReportFolder::make(place);
    REQUIRE(made);
    REQUIRE(made->write("report.json", "1"));
    CHECK_FALSE(fs::exists(place));
    REQUIRE(made->publish());
  }
  CHECK(fs::exists(place / "report.json"));
  {
    auto again = ReportFolder::make(place);
    REQUIRE(again);
    REQUIRE(again->write("report.json", "2"));
    REQUIRE(again->write("tables/x.tex", "x"));
    REQUIRE(again->publish());
  }
  CHECK(fs::exists(place / "tables/x.tex"));
  {
    auto given_up = ReportFolder::make(place);
    REQUIRE(given_up);
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  // Records beside a report.json are somebody's own.
  folder.write("mixed/report.json", "1");
  folder.write("mixed/bulk.json", "{}");
  CHECK(ReportFolder::make(folder.path() / "mixed").error().what.ends_with("something else than a report (bulk.json)"));
  CHECK(fs::exists(folder.path() / "mixed/bulk.json"));
  fs::remove_all(folder.path() / "mixed");
  folder.write("own/letter.txt", "dear");
  CHECK(ReportFolder::make(folder.path() / "own").error().fault == Fault::usage);
  CHECK(ReportFolder::make(folder.path() / "own/letter.txt").error().fault == Fault::usage);
  CHECK(std::distance(fs::directory_iterator(folder.path() / "own"), {}) == 1);
}

}  // namespace
}  // namespace waggle::answers
