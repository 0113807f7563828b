// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/machine.hpp"

#include <unistd.h>

#include <array>
#include <fstream>

namespace waggle::experiment {
namespace {

constexpr std::array kKinds{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};

}  // namespace

MachineTimes read_machine() {
  const auto tick_ns = 1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  std::ifstream stat("/proc/stat");
  std::string cpu;
  stat >> cpu;
  MachineTimes times;
  for (const char* kind : kKinds) {
    std::uint64_t ticks = 0;
    stat >> ticks;
    times[kind] = ticks * tick_ns;
  }
  return times;
}

record::Machine passed(const MachineTimes& before, const MachineTimes& after) {
  const auto seconds = [&](const std::string& kind) {
    const std::uint64_t first = before.at(kind);
    const std::uint64_t last = after.at(kind);
    return last > first ? static_cast<double>(last - first) / 1e9 : 0.0;
  };
  record::Machine machine{.user_s = seconds("user"),
                          .nice_s = seconds("nice"),
                          .system_s = seconds("system"),
                          .idle_s = seconds("idle"),
                          .iowait_s = seconds("iowait"),
                          .irq_s = seconds("irq"),
                          .softirq_s = seconds("softirq"),
                          .steal_s = seconds("steal")};
  machine.busy_s = machine.user_s + machine.nice_s + machine.system_s + machine.irq_s + machine.softirq_s;
  return machine;
}

double steal_share(const MachineTimes& before, const MachineTimes& after) {
  double all = 0;
  double steal = 0;
  for (const auto& [kind, last] : after) {
    const auto first = before.at(kind);
    const double passed = last > first ? static_cast<double>(last - first) : 0;
    all += passed;
    steal += kind == "steal" ? passed : 0;
  }
  return all > 0 ? steal / all : 0;
}

}  // namespace waggle::experiment
