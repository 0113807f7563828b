// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::measure {

/// What the kernel's own perf counters say of a process; two readings are subtracted.
struct SoftwareCounts {
  std::uint64_t task_clock_ns = 0;     ///< time on a CPU
  std::uint64_t context_switches = 0;  ///< voluntary or not
  std::uint64_t migrations = 0;        ///< from CPU to CPU
  std::uint64_t page_faults = 0;
};

/// Perf software events (perf_event_open(2)) of all threads of one process and of those that they start later. Counting
/// costs nothing that a run would notice.
class SoftwareEvents {
 public:
  /// Fault::missing with the remedy when kernel.perf_event_paranoid or the rights forbid it.
  static Result<SoftwareEvents> start(pid_t process);
  Result<SoftwareCounts> read() const;

 private:
  static constexpr std::size_t kKinds = 4;
  std::array<std::vector<UniqueFd>, kKinds> events_;  // by kind, one per thread
};

}  // namespace waggle::measure
