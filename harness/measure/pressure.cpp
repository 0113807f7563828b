// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/pressure.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/clock.hpp"

namespace waggle::measure {
namespace {

namespace fs = std::filesystem;

/// A cgroup hierarchy that may count throttling: where it is mounted, and this process's group in it.
struct Hierarchy {
  fs::path mount;
  fs::path group;
  bool second = false;  ///< cgroup v2
};

/// "0::/group" of v2, "4:cpu,cpuacct:/group" of v1.
std::vector<std::pair<std::string, std::string>> groups_of_this_process(const fs::path& proc) {
  std::vector<std::pair<std::string, std::string>> groups;
  std::ifstream file(proc / "self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first != std::string::npos && second != std::string::npos) {
      groups.emplace_back(line.substr(first + 1, second - first - 1), line.substr(second + 1));
    }
  }
  return groups;
}

bool lists(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

std::vector<Hierarchy> hierarchies(const fs::path& proc) {
  const auto groups = groups_of_this_process(proc);
  std::vector<Hierarchy> found;
  std::ifstream file(proc / "self/mounts");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string device;
    std::string mount;
    std::string kind;
    std::string options;
    words >> device >> mount >> kind >> options;
    const bool second = kind == "cgroup2";
    if (!second && (kind != "cgroup" || !lists(options, "cpu"))) {
      continue;
    }
    for (const auto& [controllers, group] : groups) {
      if (second ? controllers.empty() : lists(controllers, "cpu")) {
        found.push_back({.mount = mount, .group = group, .second = second});
      }
    }
  }
  return found;
}

std::optional<std::uint64_t> throttled_in(const fs::path& group, bool second) {
  std::ifstream file(group / "cpu.stat");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (second && name == "throttled_usec") {
      return value * 1000;
    }
    if (!second && name == "throttled_time") {
      return value;
    }
  }
  return std::nullopt;
}

/// A quota stops whatever is below it and is counted there only, so all groups up to the root are asked.
std::optional<std::uint64_t> throttled_up_from(const Hierarchy& hierarchy) {
  fs::path group = hierarchy.mount;
  if (const fs::path below = hierarchy.group.relative_path(); !below.empty()) {
    group /= below;
  }
  std::error_code ignored;
  if (!fs::is_directory(group, ignored)) {
    group = hierarchy.mount;  // a container that sees its own part of the tree under the whole path
  }
  std::optional<std::uint64_t> sum;
  while (true) {
    if (const auto here = throttled_in(group, hierarchy.second)) {
      sum = sum.value_or(0) + *here;
    }
    if (group == hierarchy.mount || group == group.parent_path()) {
      return sum;
    }
    group = group.parent_path();
  }
}

/// The total, in microseconds, of the line "some avg10=0.00 avg60=0.00 avg300=0.00 total=0".
std::optional<std::uint64_t> some_total_us(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  if (!(file >> word) || word != "some") {
    return std::nullopt;
  }
  while (file >> word && word != "full") {
    if (word.starts_with("total=")) {
      std::istringstream digits(word.substr(6));
      std::uint64_t total = 0;
      return digits >> total ? std::optional(total) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

Stalls read_stalls(const fs::path& proc) {
  Stalls stalls{.at_ns = now_ns(), .throttled_ns = {}, .waited_ns = {}};
  for (const Hierarchy& hierarchy : hierarchies(proc)) {
    if (const auto throttled = throttled_up_from(hierarchy)) {
      stalls.throttled_ns = std::max(stalls.throttled_ns.value_or(0), *throttled);
    }
  }
  for (const char* resource : {"cpu", "memory", "io"}) {
    if (const auto total = some_total_us(proc / "pressure" / resource)) {
      stalls.waited_ns[resource] = *total * 1000;
    }
  }
  return stalls;
}

double throttled_s(const Stalls& before, const Stalls& after) {
  const std::uint64_t first = before.throttled_ns.value_or(0);
  const std::uint64_t last = after.throttled_ns.value_or(0);
  return last > first ? static_cast<double>(last - first) / 1e9 : 0;
}

std::optional<double> pressure(const Stalls& before, const Stalls& after, const std::string& resource) {
  const auto first = before.waited_ns.find(resource);
  const auto last = after.waited_ns.find(resource);
  if (first == before.waited_ns.end() || last == after.waited_ns.end() || after.at_ns <= before.at_ns) {
    return std::nullopt;
  }
  const double waited = last->second > first->second ? static_cast<double>(last->second - first->second) : 0;
  return std::min(1.0, waited / static_cast<double>(after.at_ns - before.at_ns));
}

}  // namespace waggle::measure
