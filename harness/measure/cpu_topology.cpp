// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/cpu_topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "harness/measure/line_of.hpp"

namespace waggle::measure {
namespace {

namespace fs = std::filesystem;
using Distance = CpuWish::Distance;

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// The number behind a name like "cpu12" or "node0".
std::optional<int> numbered(const fs::path& entry, std::string_view kind) {
  const std::string text = entry.filename();
  return text.starts_with(kind) ? number(std::string_view(text).substr(kind.size())) : std::nullopt;
}

int lowest(const std::vector<int>& cpus, int otherwise) {
  return cpus.empty() ? otherwise : std::ranges::min(cpus);
}

int l3_of(const fs::path& cpu) {
  std::error_code ignored;
  for (const auto& cache : fs::directory_iterator(cpu / "cache", ignored)) {
    if (line_of(cache.path() / "level") == "3") {
      return lowest(parse_cpu_list(line_of(cache.path() / "shared_cpu_list")), -1);
    }
  }
  return -1;
}

/// How well a distance fits a wish, the smaller the better; nothing when it does not. `apart`: CpuTopology::apart().
std::optional<int> fit(Distance wish, Shared shared, bool apart) {
  constexpr std::array kNear{Shared::l3, Shared::node, Shared::machine, Shared::core, Shared::cpu};
  switch (wish) {
    case Distance::automatic: return static_cast<int>(std::ranges::find(kNear, shared) - kNear.begin());
    case Distance::near: return shared == Shared::l3 ? std::optional(0) : std::nullopt;
    case Distance::siblings: return shared == Shared::core ? std::optional(0) : std::nullopt;
    case Distance::far:
      return apart ? std::optional(static_cast<int>(Shared::machine) - static_cast<int>(shared)) : std::nullopt;
  }
  return std::nullopt;
}

std::unexpected<Error> none(Distance wish) {
  const auto* what = wish == Distance::near  ? "two cores that share an L3"
                     : wish == Distance::far ? "two CPUs of different nodes or L3s"
                                             : "two threads of one core";
  const auto* option = wish == Distance::near ? "near" : wish == Distance::far ? "far" : "siblings";
  return fail(Fault::missing,
              fmt::format("--cpus={}: of {} that this process may use the machine tells nothing", option, what),
              "name two CPUs with --cpus=N,M");
}

}  // namespace

std::string_view text(Shared shared) {
  constexpr std::array<std::string_view, 5> kTexts{"one CPU", "a core", "an L3", "a NUMA node", "the machine"};
  return kTexts.at(static_cast<std::size_t>(shared));
}

std::string_view name(Shared shared) {
  constexpr std::array<std::string_view, 5> kNames{"cpu", "core", "l3", "node", "machine"};
  return kNames.at(static_cast<std::size_t>(shared));
}

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto range = text.substr(0, comma);
    const auto dash = range.find('-');
    const auto first = number(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number(range.substr(dash + 1));
    for (int cpu = first.value_or(0); first && last && cpu <= *last; ++cpu) {
      cpus.push_back(cpu);
    }
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return cpus;
}

CpuTopology CpuTopology::read(const fs::path& sys) {
  CpuTopology topology;
  topology.sys_ = sys;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(sys / "devices/system/cpu", ignored)) {
    if (const auto cpu = numbered(entry.path(), "cpu")) {
      const auto siblings = parse_cpu_list(line_of(entry.path() / "topology/thread_siblings_list"));
      topology.places_[*cpu] = {.core = lowest(siblings, *cpu), .l3 = l3_of(entry.path())};
    }
  }
  for (const auto& entry : fs::directory_iterator(sys / "devices/system/node", ignored)) {
    if (const auto node = numbered(entry.path(), "node")) {
      for (const int cpu : parse_cpu_list(line_of(entry.path() / "cpulist"))) {
        topology.places_[cpu].node = *node;
      }
    }
  }
  return topology;
}

CpuTopology::Place CpuTopology::place(int cpu) const {
  const auto found = places_.find(cpu);
  return found == places_.end() ? Place{.core = cpu} : found->second;
}

Shared CpuTopology::shared(int a, int b) const {
  const Place one = place(a);
  const Place other = place(b);
  return a == b                                    ? Shared::cpu
         : one.core == other.core && one.core >= 0 ? Shared::core
         : one.l3 == other.l3 && one.l3 >= 0       ? Shared::l3
         : one.node == other.node && one.node >= 0 ? Shared::node
                                                   : Shared::machine;
}

bool CpuTopology::apart(int a, int b) const {
  const Place one = place(a);
  const Place other = place(b);
  const auto differ = [](int x, int y) { return x >= 0 && y >= 0 && x != y; };
  return differ(one.node, other.node) || differ(one.l3, other.l3);
}

int CpuTopology::node(int cpu) const {
  return place(cpu).node;
}

int CpuTopology::node_of_pci(const std::string& address) const {
  return number(line_of(sys_ / "bus/pci/devices" / address / "numa_node")).value_or(-1);
}

Result<std::pair<int, int>> choose_cpus(const CpuTopology& topology, const std::vector<int>& allowed,
                                        const CpuWish& wish) {
  using Score = std::pair<int, int>;
  std::optional<Score> best;
  std::pair<int, int> chosen{0, 0};
  const auto beside = [&](int cpu, int node) { return node >= 0 && topology.node(cpu) != node ? 1 : 0; };
  for (const int server : allowed) {
    for (const int client : allowed) {
      const auto distance = fit(wish.distance, topology.shared(server, client), topology.apart(server, client));
      if (!distance) {
        continue;
      }
      const int strangers = beside(server, wish.server_node) + beside(client, wish.client_node);
      const Score score =
          wish.distance == Distance::automatic ? Score{strangers, *distance} : Score{*distance, strangers};
      if (!best || score < *best) {
        best = score;
        chosen = {server, client};
      }
    }
  }
  if (!best && wish.distance != Distance::automatic) {
    return none(wish.distance);
  }
  return chosen;
}

}  // namespace waggle::measure
