// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/software_events.hpp"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace waggle::measure {
namespace {

constexpr std::array<std::uint64_t, 4> kEvents{PERF_COUNT_SW_TASK_CLOCK, PERF_COUNT_SW_CONTEXT_SWITCHES,
                                               PERF_COUNT_SW_CPU_MIGRATIONS, PERF_COUNT_SW_PAGE_FAULTS};

Result<UniqueFd> open_event(std::uint64_t event, pid_t thread) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof(attributes);
  attributes.config = event;
  attributes.inherit = 1;
  const long fd = ::syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) {
    Error error{.fault = Fault::missing,
                .what = fmt::format("cannot count perf events of thread {}: {}", thread, std::strerror(errno)),
                .hint = "run as root, or: sysctl -w kernel.perf_event_paranoid=1",
                .system = errno};
    return std::unexpected(std::move(error));
  }
  return UniqueFd(static_cast<int>(fd));
}

}  // namespace

Result<SoftwareEvents> SoftwareEvents::start(pid_t process) {
  SoftwareEvents events;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process), error)) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      auto event = open_event(kEvents[kind], std::stoi(thread.path().filename().string()));
      if (!event && event.error().system == ESRCH) {
        continue;  // the thread has ended meanwhile
      }
      if (!event) {
        return std::unexpected(std::move(event).error());
      }
      events.events_[kind].push_back(*std::move(event));
    }
  }
  if (events.events_.front().empty()) {
    return fail(Fault::not_found, fmt::format("there is no process {}", process));
  }
  return events;
}

Result<SoftwareCounts> SoftwareEvents::read() const {
  std::array<std::uint64_t, kKinds> sums{};
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    for (const UniqueFd& event : events_[kind]) {
      std::uint64_t value = 0;
      if (::read(event.get(), &value, sizeof(value)) != sizeof(value)) {
        return fail_errno("cannot read a perf event");
      }
      sums[kind] += value;
    }
  }
  return SoftwareCounts{
      .task_clock_ns = sums[0], .context_switches = sums[1], .migrations = sums[2], .page_faults = sums[3]};
}

}  // namespace waggle::measure
