// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/cpus.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "harness/measure/cpu_topology.hpp"

namespace waggle::experiment {
namespace {

using Distance = measure::CpuWish::Distance;

constexpr std::array<std::pair<std::string_view, Distance>, 4> kDistances{{{"auto", Distance::automatic},
                                                                           {"near", Distance::near},
                                                                           {"far", Distance::far},
                                                                           {"siblings", Distance::siblings}}};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

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

Result<> check_cpu(const std::string& option, int cpu) {
  const auto cpus = allowed_cpus();
  return std::ranges::find(cpus, cpu) != cpus.end()
             ? Result<>()
             : fail(Fault::usage, fmt::format("{}: there is no CPU {} to run on", option, cpu),
                    fmt::format("choose one of: {}", fmt::join(cpus, ", ")));
}

Result<std::pair<int, int>> parse_cpus(const std::string& text, const std::vector<std::string>& pci) {
  const auto allowed = allowed_cpus();
  const auto* named = std::ranges::find(kDistances, text, &std::pair<std::string_view, Distance>::first);
  if (named != kDistances.end()) {
    const auto topology = measure::CpuTopology::read();
    const bool nics = pci.size() == 2;
    return measure::choose_cpus(topology, allowed,
                                {.distance = named->second,
                                 .server_node = nics ? topology.node_of_pci(pci[0]) : -1,
                                 .client_node = nics ? topology.node_of_pci(pci[1]) : -1});
  }
  const auto comma = text.find(',');
  const auto server = number(std::string_view(text).substr(0, comma));
  const auto client = comma == std::string::npos ? std::nullopt : number(std::string_view(text).substr(comma + 1));
  if (!server || !client) {
    return fail(Fault::usage, fmt::format("--cpus={} names no two CPUs", text),
                "choose near, far, siblings, or N,M: the server's and the client's CPU");
  }
  for (const int cpu : {*server, *client}) {
    if (std::ranges::find(allowed, cpu) == allowed.end()) {
      return fail(Fault::usage, fmt::format("--cpus: there is no CPU {} to run on", cpu),
                  fmt::format("choose two of: {}", fmt::join(allowed, ", ")));
    }
  }
  return std::pair(*server, *client);
}

}  // namespace waggle::experiment
