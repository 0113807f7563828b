// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/side_usage.hpp"

#include <sys/resource.h>

#include <fstream>
#include <string>

#include "base/copy_meter.hpp"

namespace waggle::experiment {
namespace {

std::uint64_t nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_usec) * 1000U;
}

SideUsage from(const rusage& usage) {
  SideUsage side;
  side.user_ns = nanoseconds(usage.ru_utime);
  side.system_ns = nanoseconds(usage.ru_stime);
  side.voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw);
  side.involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
  side.minor_faults = static_cast<std::uint64_t>(usage.ru_minflt);
  side.major_faults = static_cast<std::uint64_t>(usage.ru_majflt);
  return side;
}

/// The kernel scales a process's user and system time to its exact run time, so a difference may be a little negative.
std::uint64_t minus(std::uint64_t after, std::uint64_t before) {
  return after > before ? after - before : 0;
}

}  // namespace

SideUsage SideUsage::since(const SideUsage& before) const {
  SideUsage difference;
  difference.user_ns = minus(user_ns, before.user_ns);
  difference.system_ns = minus(system_ns, before.system_ns);
  difference.voluntary_switches = minus(voluntary_switches, before.voluntary_switches);
  difference.involuntary_switches = minus(involuntary_switches, before.involuntary_switches);
  difference.minor_faults = minus(minor_faults, before.minor_faults);
  difference.major_faults = minus(major_faults, before.major_faults);
  difference.user_copied_bytes = minus(user_copied_bytes, before.user_copied_bytes);
  difference.peak_memory_bytes = peak_memory_bytes;
  for (const auto& [counter, value] : counters) {
    const auto found = before.counters.find(counter);
    difference.counters[counter] = minus(value, found == before.counters.end() ? 0 : found->second);
  }
  return difference;
}

SideUsage read_usage(bool without_this_thread) {
  rusage process{};
  rusage thread{};
  ::getrusage(RUSAGE_SELF, &process);
  if (without_this_thread) {
    ::getrusage(RUSAGE_THREAD, &thread);
  }
  SideUsage usage = from(process).since(from(thread));
  usage.user_copied_bytes = user_copied_bytes.load(std::memory_order_relaxed);
  return usage;
}

std::uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "VmHWM:") {
      std::uint64_t kib = 0;
      status >> kib;
      return kib * 1024;
    }
  }
  return 0;
}

}  // namespace waggle::experiment
