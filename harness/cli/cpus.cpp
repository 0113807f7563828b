// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/cpus.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace waggle::cli {

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) {
        cpus.push_back(cpu);
      }
    }
  }
  return cpus;
}

std::vector<int> siblings_of(int cpu) {
  std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
  std::vector<int> siblings{cpu};
  std::string range;
  while (std::getline(file, range, ',')) {
    std::istringstream ends(range);
    int first = 0;
    if (!(ends >> first)) {
      continue;
    }
    int last = first;
    if (ends.peek() == '-') {
      ends.ignore();
      ends >> last;
    }
    for (int sibling = first; sibling <= last; ++sibling) {
      siblings.push_back(sibling);
    }
  }
  std::ranges::sort(siblings);
  siblings.erase(std::ranges::unique(siblings).begin(), siblings.end());
  return siblings;
}

std::pair<int, int> default_cpus(const std::vector<int>& allowed, std::vector<int> (*siblings)(int)) {
  if (allowed.empty()) {
    return {0, 0};
  }
  const int server = allowed.front();
  const auto same_core = siblings(server);
  const auto other_core =
      std::ranges::find_if(allowed, [&](int cpu) { return std::ranges::find(same_core, cpu) == same_core.end(); });
  if (other_core != allowed.end()) {
    return {server, *other_core};
  }
  return {server, allowed.size() > 1 ? allowed[1] : server};
}

}  // namespace waggle::cli
