// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/placement.hpp"

#include <sched.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "base/testing/folder.hpp"
#include "harness/measure/cpu_topology.hpp"
#include "harness/measure/pressure.hpp"

using namespace waggle;
using namespace waggle::measure;
namespace fs = std::filesystem;

namespace {

/// A directory that is laid out like /sys or /proc.
class Tree : public test::Folder {
 public:
  void write(const fs::path& file, const std::string& text) const { Folder::write(file, text + "\n"); }
  void cpu(int cpu, const std::string& core, const std::string& l3) const {
    const fs::path place = fs::path("devices/system/cpu") / ("cpu" + std::to_string(cpu));
    write(place / "topology/thread_siblings_list", core);
    write(place / "cache/index0/level", "1");
    write(place / "cache/index0/shared_cpu_list", core);
    if (!l3.empty()) {
      write(place / "cache/index3/level", "3");
      write(place / "cache/index3/shared_cpu_list", l3);
    }
  }
  void node(int node, const std::string& cpus) const {
    write(fs::path("devices/system/node") / ("node" + std::to_string(node)) / "cpulist", cpus);
  }
};

/// Two nodes with two L3s each, two cores of two threads at each L3. The siblings of CPU n are n and n + 8.
void lay_out_server(const Tree& sys) {
  for (int cpu = 0; cpu < 16; ++cpu) {
    const int core = cpu % 8;
    const int first = core / 2 * 2;
    sys.cpu(cpu, std::to_string(core) + "," + std::to_string(core + 8),
            std::to_string(first) + "-" + std::to_string(first + 1) + "," + std::to_string(first + 8) + "-" +
                std::to_string(first + 9));
  }
  sys.node(0, "0-3,8-11");
  sys.node(1, "4-7,12-15");
  sys.write("bus/pci/devices/0000:81:00.0/numa_node", "1");
  sys.write("bus/pci/devices/0000:01:00.0/numa_node", "0");
  sys.write("bus/pci/devices/0000:00:03.0/numa_node", "-1");
}

std::vector<int> first(int count) {
  std::vector<int> cpus(static_cast<std::size_t>(count));
  std::iota(cpus.begin(), cpus.end(), 0);
  return cpus;
}

using Distance = CpuWish::Distance;

}  // namespace

TEST_CASE("a list of CPUs is read as the kernel writes it") {
  CHECK(parse_cpu_list("0-3,8") == std::vector{0, 1, 2, 3, 8});
  CHECK(parse_cpu_list("5") == std::vector{5});
  CHECK(parse_cpu_list("").empty());
  CHECK(parse_cpu_list("x,2-,7").size() == 1);
}

TEST_CASE("what two CPUs share is read from the machine, the nearest thing first") {
  const Tree sys;
  lay_out_server(sys);
  const auto topology = CpuTopology::read(sys.path());
  CHECK(topology.shared(3, 3) == Shared::cpu);
  CHECK(topology.shared(0, 8) == Shared::core);
  CHECK(topology.shared(0, 1) == Shared::l3);
  CHECK(topology.shared(0, 9) == Shared::l3);
  CHECK(topology.shared(0, 2) == Shared::node);
  CHECK(topology.shared(0, 4) == Shared::machine);
  CHECK(topology.node(5) == 1);
  CHECK(topology.node_of_pci("0000:81:00.0") == 1);
  CHECK(topology.node_of_pci("0000:00:03.0") == -1);
  CHECK(topology.node_of_pci("0000:99:00.0") == -1);
}

TEST_CASE("server and client get two cores of one L3 that are not siblings") {
  const Tree sys;
  lay_out_server(sys);
  const auto topology = CpuTopology::read(sys.path());
  CHECK(choose_cpus(topology, first(16), {}).value() == std::pair{0, 1});
  CHECK(choose_cpus(topology, first(16), {.distance = Distance::near}).value() == std::pair{0, 1});
  // CPU 1 is taken away: its sibling 9 is as near.
  CHECK(choose_cpus(topology, {0, 2, 8, 9}, {}).value() == std::pair{0, 9});
  CHECK(choose_cpus(topology, {0, 2, 8}, {}).value() == std::pair{0, 2});
  CHECK(choose_cpus(topology, {0, 8}, {}).value() == std::pair{0, 8});
  CHECK(choose_cpus(topology, {5}, {}).value() == std::pair{5, 5});
  CHECK(choose_cpus(topology, {}, {}).value() == std::pair{0, 0});
}

TEST_CASE("far is another node or else another L3, siblings are one core, and what there is not is refused") {
  const Tree sys;
  lay_out_server(sys);
  const auto topology = CpuTopology::read(sys.path());
  CHECK(choose_cpus(topology, first(16), {.distance = Distance::far}).value() == std::pair{0, 4});
  CHECK(choose_cpus(topology, first(4), {.distance = Distance::far}).value() == std::pair{0, 2});
  CHECK(choose_cpus(topology, first(16), {.distance = Distance::siblings}).value() == std::pair{0, 8});
  for (const auto wish : {Distance::far, Distance::siblings}) {
    const auto refused = choose_cpus(topology, {0, 1}, {.distance = wish});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::missing);
    CHECK(refused.error().hint == "name two CPUs with --cpus=N,M");
  }
  CHECK_FALSE(choose_cpus(topology, {0, 8}, {.distance = Distance::near}));
}

TEST_CASE("the node of a NIC counts: before distance by default, after it where a distance is asked for") {
  const Tree sys;
  lay_out_server(sys);
  const auto topology = CpuTopology::read(sys.path());
  CHECK(choose_cpus(topology, first(16), {.server_node = 1, .client_node = 1}).value() == std::pair{4, 5});
  CHECK(choose_cpus(topology, first(16), {.server_node = 1, .client_node = 0}).value() == std::pair{4, 0});
  CHECK(choose_cpus(topology, first(16), {.distance = Distance::far, .server_node = 1, .client_node = 1}).value() ==
        std::pair{0, 4});
}

TEST_CASE("a machine that tells nothing has CPUs all the same") {
  const Tree sys;
  const auto topology = CpuTopology::read(sys.path());
  CHECK(topology.shared(0, 1) == Shared::machine);
  CHECK(choose_cpus(topology, {0, 1}, {}).value() == std::pair{0, 1});
  CHECK_FALSE(choose_cpus(topology, {0, 1}, {.distance = Distance::near}));
  CHECK_FALSE(choose_cpus(topology, {0, 1}, {.distance = Distance::far}));
}

TEST_CASE("a cache line takes its time between two CPUs, and none within one") {
  cpu_set_t set;
  REQUIRE(::sched_getaffinity(0, sizeof set, &set) == 0);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu) {
    if (CPU_ISSET(cpu, &set)) {
      cpus.push_back(cpu);
    }
  }
  const auto alone = round_trip_ns(cpus.front(), cpus.front());
  REQUIRE(alone);
  CHECK_FALSE(*alone);
  CHECK(round_trip_ns(CPU_SETSIZE - 1, cpus.front()).error().fault == Fault::usage);
  if (cpus.size() < 2) {
    return;
  }
  const auto seen = look(cpus[0], cpus[1]);
  REQUIRE(seen);
  CHECK(seen->calibration.arithmetic_ns > 0);
  // Nothing when the machine was too busy for it.
  if (seen->round_trip_ns) {
    CHECK(*seen->round_trip_ns > 5);
  }
}

TEST_CASE("the quota of every cgroup above counts, and what waited for the CPU, memory and disks") {
  const Tree proc;
  const fs::path mount = proc.path() / "cgroup";
  proc.write("self/cgroup", "3:memory:/x\n0::/a/b");
  proc.write("self/mounts", "none " + mount.string() + " cgroup2 rw 0 0\nproc /proc proc rw 0 0");
  proc.write("cgroup/a/b/cpu.stat", "usage_usec 5\nnr_throttled 1\nthrottled_usec 1000");
  proc.write("cgroup/a/cpu.stat", "usage_usec 5\nnr_throttled 1\nthrottled_usec 2000");
  proc.write("cgroup/cpu.stat", "usage_usec 5");
  proc.write("pressure/cpu", "some avg10=1.00 avg60=1.00 avg300=1.00 total=500\nfull avg10=0 avg60=0 avg300=0 total=7");
  Stalls before = read_stalls(proc.path());
  CHECK(before.throttled_ns == 3'000'000U);
  CHECK(before.waited_ns == std::map<std::string, std::uint64_t>{{"cpu", 500'000}});
  proc.write("self/cgroup", "0::/");  // a container that sees its own group as the root
  proc.write("cgroup/cpu.stat", "usage_usec 5\nthrottled_usec 1000");
  CHECK(read_stalls(proc.path()).throttled_ns == 1'000'000U);
  Stalls after = before;
  after.at_ns = before.at_ns + 1'000'000;
  after.throttled_ns = 5'000'000;
  after.waited_ns["cpu"] += 250'000;
  CHECK(throttled_s(before, after) == Approx(0.002));
  CHECK(pressure(before, after, "cpu").value() == Approx(0.25));
  CHECK_FALSE(pressure(before, after, "memory"));
  proc.write("self/cgroup", "4:cpu,cpuacct:/c");
  proc.write("self/mounts", "none " + mount.string() + " cgroup rw,cpu,cpuacct 0 0");
  proc.write("cgroup/c/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 123");
  CHECK(read_stalls(proc.path()).throttled_ns == 123U);
  proc.write("self/mounts", "");
  CHECK_FALSE(read_stalls(proc.path()).throttled_ns);
}
