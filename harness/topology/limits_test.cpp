// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/limits.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "harness/topology/work_directory.hpp"

using namespace waggle;
using namespace waggle::topology;

namespace {

/// A machine whose /proc and /sys say what a test wants.
class Machine {
 public:
  void say(const std::string& file, const std::string& text) const {
    const auto path = place_.path() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }
  const std::filesystem::path& root() const { return place_.path(); }

 private:
  static WorkDirectory make() {
    auto made = WorkDirectory::create(std::filesystem::temp_directory_path());
    REQUIRE(made);
    return *std::move(made);
  }
  WorkDirectory place_ = make();
};

/// Takes a limit down for as long as it lives; the hard one stays.
class Lowered {
 public:
  explicit Lowered(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit low{most, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low);
  }
  ~Lowered() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  Lowered(const Lowered&) = delete;
  Lowered& operator=(const Lowered&) = delete;
  rlim_t hard() const { return before_.rlim_max; }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("soft limits are raised to the hard ones") {
  const Lowered low(50);
  REQUIRE(open_files_limit() == 50);
  raise_limits();
  CHECK(open_files_limit() == low.hard());
}

TEST_CASE("the tightest control group counts, of either version") {
  const Machine machine;
  CHECK_FALSE(task_bound(machine.root()));
  machine.say("proc/self/cgroup", "8:pids:/a/b\n4:cpu,hugetlb:/c\n0::/u");
  machine.say("sys/fs/cgroup/pids/a/b/pids.max", "max");
  CHECK_FALSE(task_bound(machine.root()));
  machine.say("sys/fs/cgroup/pids/a/pids.max", "500");
  machine.say("sys/fs/cgroup/pids/a/pids.current", "420");
  REQUIRE(task_bound(machine.root()));
  CHECK(task_bound(machine.root())->left() == 80);
  machine.say("sys/fs/cgroup/u/pids.max", "30");
  machine.say("sys/fs/cgroup/u/pids.current", "40");
  CHECK(task_bound(machine.root())->left() == 0);
  CHECK(task_bound(machine.root())->file == machine.root() / "sys/fs/cgroup/u/pids.max");

  constexpr std::uint64_t kPage = 2U << 20U;
  CHECK_FALSE(hugepage_bound(kPage, machine.root()));
  machine.say("sys/fs/cgroup/hugetlb/c/hugetlb.2MB.limit_in_bytes", "4194304");
  CHECK(hugepage_bound(kPage, machine.root())->left() == 2 * kPage);
  machine.say("sys/fs/cgroup/unified/u/hugetlb.2MB.max", "2097152");
  CHECK(hugepage_bound(kPage, machine.root())->left() == kPage);
  CHECK_FALSE(hugepage_bound(kPage * 512, machine.root()));
}

TEST_CASE("what is too little is told with the number and the command") {
  const Machine machine;
  const auto needs = needs_of_clients(600);
  {
    const Lowered low(1024);
    const auto refused = check_limits(needs, "600 clients", machine.root());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::missing);
    CHECK(refused.error().what.starts_with("600 clients need 4,264 open files in one process, and the limit is 1,024"));
    CHECK(refused.error().hint == "raise it: ulimit -n 4264");
  }
  CHECK(check_limits({.open_files = 3, .tasks = needs.tasks}, "600 clients", machine.root()));
  machine.say("proc/self/cgroup", "0::/");
  machine.say("sys/fs/cgroup/pids.max", "1000");
  machine.say("sys/fs/cgroup/pids.current", "10");
  const auto refused = check_limits({.open_files = 3, .tasks = needs.tasks}, "600 clients", machine.root());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "600 clients need 1,864 threads, and the control group lets no more than 990 start");
  CHECK(refused.error().hint.starts_with("raise it: echo 1874 | sudo tee "));
}
