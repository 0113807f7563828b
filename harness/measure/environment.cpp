// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/environment.hpp"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/digest.hpp"
#include "harness/measure/line_of.hpp"
#include "revision.hpp"

namespace waggle::measure {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 24> kSysctls{
    "kernel/io_uring_disabled",
    "kernel/kptr_restrict",
    "kernel/perf_event_paranoid",
    "kernel/unprivileged_bpf_disabled",
    "net/core/busy_poll",
    "net/core/busy_read",
    "net/core/bpf_jit_enable",
    "net/core/default_qdisc",
    "net/core/netdev_budget",
    "net/core/netdev_budget_usecs",
    "net/core/netdev_max_backlog",
    "net/core/optmem_max",
    "net/core/rmem_max",
    "net/core/wmem_max",
    "net/ipv4/tcp_congestion_control",
    "net/ipv4/tcp_available_congestion_control",
    "net/ipv4/tcp_limit_output_bytes",
    "net/ipv4/tcp_notsent_lowat",
    "net/ipv4/tcp_rmem",
    "net/ipv4/tcp_wmem",
    "net/ipv4/tcp_slow_start_after_idle",
    "net/ipv4/tcp_timestamps",
    "vm/nr_hugepages",
    "vm/swappiness",
};

void add(json& to, const std::string& name, const std::string& value) {
  if (!value.empty()) {
    to[name] = value;
  }
}

/// The value of the first "KEY : VALUE" line of /proc/cpuinfo.
std::string cpu_info(std::string_view key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with(key) && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return {};
}

json cpu() {
  const std::filesystem::path system("/sys/devices/system/cpu");
  json facts{{"online", ::sysconf(_SC_NPROCESSORS_ONLN)}, {"configured", ::sysconf(_SC_NPROCESSORS_CONF)}};
  add(facts, "model", cpu_info("model name"));
  add(facts, "microcode", cpu_info("microcode"));
  add(facts, "governor", line_of(system / "cpu0/cpufreq/scaling_governor"));
  add(facts, "smt", line_of(system / "smt/control"));
  const std::string flags = cpu_info("flags");
  facts["virtual"] = (" " + flags + " ").find(" hypervisor ") != std::string::npos;
  facts["digest_vectors"] = digest_vectors();
  return facts;
}

json mitigations() {
  json facts = json::object();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/cpu/vulnerabilities", ignored)) {
    add(facts, entry.path().filename(), line_of(entry.path()));
  }
  return facts;
}

json sysctls() {
  json facts = json::object();
  for (const std::string_view name : kSysctls) {
    std::string dotted(name);
    std::ranges::replace(dotted, '/', '.');
    add(facts, dotted, line_of(std::filesystem::path("/proc/sys") / name));
  }
  return facts;
}

/// "NAME VERSION;NAME VERSION" as the build passes it.
json libraries() {
  json facts = json::object();
  std::istringstream list(WAGGLE_LIBRARIES);
  for (std::string entry; std::getline(list, entry, ';');) {
    const auto space = entry.find(' ');
    facts[entry.substr(0, space)] = entry.substr(space + 1);
  }
  return facts;
}

std::string page_size_choice(std::string_view file) {
  const std::string line = line_of(std::filesystem::path("/sys/kernel/mm/transparent_hugepage") / file);
  const auto open = line.find('[');
  const auto close = line.find(']');
  return open == std::string::npos || close == std::string::npos ? "" : line.substr(open + 1, close - open - 1);
}

}  // namespace

json revision() {
  constexpr std::string_view kDirty = "-dirty";
  std::string text(WAGGLE_REVISION);
  const bool dirty = text.ends_with(kDirty);
  if (dirty) {
    text.resize(text.size() - kDirty.size());
  }
  if (text == "unknown") {
    text.clear();
  }
  return {{"revision", text}, {"dirty", dirty}};
}

json environment() {
  utsname system{};
  ::uname(&system);
  struct sysinfo memory{};
  ::sysinfo(&memory);
  json facts{
      {"kernel", system.release},     {"kernel_version", system.version},
      {"machine", system.machine},    {"cpu", cpu()},
      {"mitigations", mitigations()}, {"memory_bytes", static_cast<std::uint64_t>(memory.totalram) * memory.mem_unit},
      {"compiler", __VERSION__},      {"libraries", libraries()},
      {"sysctl", sysctls()}};
  add(facts, "clock_source", line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
  add(facts, "transparent_hugepages", page_size_choice("enabled"));
  add(facts, "shmem_hugepages", page_size_choice("shmem_enabled"));
  add(facts, "lockdown", line_of("/sys/kernel/security/lockdown"));
  add(facts, "congestion_control", line_of("/proc/sys/net/ipv4/tcp_congestion_control"));
  return facts;
}

}  // namespace waggle::measure
