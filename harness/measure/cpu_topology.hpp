// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace waggle::measure {

/// The nearest thing that two CPUs share, the nearest first. What sysfs says of it need not be true of a virtual
/// machine, whose CPUs move: the distance that counts is measured (placement.hpp).
enum class Shared { cpu, core, l3, node, machine };
/// "one CPU", "a core", "an L3", "a NUMA node", "the machine".
std::string_view text(Shared shared);
/// The same in a record: "cpu", "core", "l3", "node", "machine".
std::string_view name(Shared shared);

/// The CPUs of a Linux list like "0-3,8" (cpulist, sysfs); what is no number is left out.
std::vector<int> parse_cpu_list(std::string_view text);

/// Which CPUs share a core, an L3 and a NUMA node (Documentation/ABI/stable/sysfs-devices-system-cpu).
class CpuTopology {
 public:
  /// Reads what there is below `sys`.
  static CpuTopology read(const std::filesystem::path& sys = "/sys");

  Shared shared(int a, int b) const;
  /// Whether the machine says that they have different nodes or L3s. What it does not tell is not apart.
  bool apart(int a, int b) const;
  /// NUMA node of a CPU, -1 when none is told.
  int node(int cpu) const;
  /// NUMA node of a PCI device ("0000:01:00.0"), -1 when it has none or does not exist.
  int node_of_pci(const std::string& address) const;

 private:
  /// Lowest CPU of the same core and of the same L3, -1 for the latter when the machine does not tell.
  struct Place {
    int core = -1;
    int l3 = -1;
    int node = -1;
  };
  Place place(int cpu) const;

  std::filesystem::path sys_;
  std::map<int, Place> places_;
};

/// Where the two processes of a run shall be.
struct CpuWish {
  enum class Distance {
    automatic,  ///< near, or the next best that the machine has
    near,       ///< two cores of one L3
    far,        ///< two nodes, or else two L3s
    siblings,   ///< two threads of one core
  };
  Distance distance = Distance::automatic;
  /// NUMA nodes that server and client use a device of, -1: any. They come before `automatic`, and after the others.
  int server_node = -1;
  int client_node = -1;
};

/// Server's and client's CPU among `allowed` (ascending). Fault::missing when the machine has none so, or does not
/// tell.
Result<std::pair<int, int>> choose_cpus(const CpuTopology& topology, const std::vector<int>& allowed,
                                        const CpuWish& wish);

}  // namespace waggle::measure
