// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/napi.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace waggle::topology {
namespace {

/// sysfs shows the devices of the namespace in which it was mounted, so it is mounted anew for as long as the thread
/// lives that looks; an open descriptor stays good.
Result<UniqueFd> open_setting(const std::string& device) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("waggle", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return fail_errno("cannot look at the network devices of a namespace");
  }
  UniqueFd setting(::open(fmt::format("/sys/class/net/{}/threaded", device).c_str(), O_RDWR | O_CLOEXEC));
  if (!setting) {
    return errno == ENOENT ? fail(Fault::missing, "this kernel has no threaded NAPI", "use Linux 5.12 or later")
                           : fail_errno(fmt::format("cannot choose where {} does its receive work", device));
  }
  return setting;
}

constexpr int kForemost = -20;  // nice

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string affinity_of(pid_t thread) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(thread, sizeof set, &set) != 0) {
    return "unknown";
  }
  std::string cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) {
      cpus += fmt::format("{}{}", cpus.empty() ? "" : ",", cpu);
    }
  }
  return cpus;
}

/// Kernel threads of the devices of this name, in whatever namespace.
std::set<pid_t> threads_of(const std::string& device) {
  // Before Linux 5.17 a name shows 15 characters only, which may cut off the number.
  const std::string name = fmt::format("napi/{}-", device);
  const std::string prefix = name.substr(0, 15);
  std::set<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string number = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), pid);
    if (error == std::errc{} && end == number.data() + number.size() &&
        text_of(entry.path() / "comm").starts_with(prefix)) {
      found.insert(pid);
    }
  }
  return found;
}

}  // namespace

Result<NapiControl> NapiControl::open(const NetworkNamespace& where, const std::string& device) {
  UniqueFd setting;
  WAGGLE_TRY(where.inside([&]() -> Result<> {
    WAGGLE_LET(opened, open_setting(device));
    setting = std::move(opened);
    return {};
  }));
  return NapiControl(std::move(setting), device);
}

void NapiControl::find_threads() {
  const auto now = threads_of(device_);
  std::erase_if(own_, [&](pid_t thread) { return !now.contains(thread); });
  for (const pid_t thread : now) {
    if (!others_.contains(thread)) {
      own_.insert(thread);
    }
  }
}

void NapiControl::ignore(const std::set<pid_t>& others) {
  others_.insert(others.begin(), others.end());
  std::erase_if(own_, [&](pid_t thread) { return others_.contains(thread); });
}

Result<Mode> NapiControl::set(Napi napi) {
  others_ = threads_of(device_);
  std::erase_if(others_, [&](pid_t thread) { return own_.contains(thread); });
  return set_again(napi);
}

Result<Mode> NapiControl::set_again(Napi napi) {
  const bool threaded = napi == Napi::threaded;
  const std::string requested = threaded ? "threaded" : "softirq";
  if (::pwrite(setting_.get(), threaded ? "1" : "0", 1, 0) != 1) {
    return errno == EOPNOTSUPP
               ? Result<Mode>(Mode{"napi", requested, "none"})
               : Result<Mode>(fail_errno(fmt::format("cannot choose where {} does its receive work", device_)));
  }
  char granted = '0';
  if (::pread(setting_.get(), &granted, 1, 0) != 1) {
    return fail_errno(fmt::format("cannot read where {} does its receive work", device_));
  }
  find_threads();
  return Mode{"napi", requested, granted == '0' ? "softirq" : "threaded"};
}

Result<Mode> NapiControl::pin(int cpu) {
  find_threads();
  Mode mode{"napi cpu", std::to_string(cpu), "none"};
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  for (const pid_t thread : own_) {
    if (::sched_setaffinity(thread, sizeof set, &set) != 0 && errno != ESRCH) {
      return fail_errno(fmt::format("cannot pin the NAPI thread {} of {} to CPU {}", thread, device_, cpu));
    }
    // In softirq context receive work comes before all processes. A thread has to compete with them, and on a busy CPU
    // it was seen to wait for seconds while a receiver that naps went before it: nothing was received.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(thread), kForemost);
    const std::string granted = affinity_of(thread);
    if (mode.granted == "none" || granted != mode.requested) {
      mode.granted = granted;
    }
  }
  return mode;
}

}  // namespace waggle::topology
