// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace waggle::measure {

/// Counters of what kept processes from running, each since some moment in the past.
struct Stalls {
  std::uint64_t at_ns = 0;  ///< when they were read (now_ns())
  /// Nanoseconds for which the CPU quota of this process's cgroup, or of one above it, stopped the processes in it
  /// (cpu.stat; Documentation/admin-guide/cgroup-v2.rst). Nothing where no cgroup counts that.
  std::optional<std::uint64_t> throttled_ns;
  /// Nanoseconds in which at least one task of the machine waited for "cpu", "memory" or "io"
  /// (Documentation/accounting/psi.rst), as far as the kernel counts them.
  std::map<std::string, std::uint64_t> waited_ns;
};

Stalls read_stalls(const std::filesystem::path& proc = "/proc");

/// Seconds that the quota stopped processes between two readings.
double throttled_s(const Stalls& before, const Stalls& after);
/// Share of the time between two readings in which somebody waited for it (0…1); nothing when it is not counted.
std::optional<double> pressure(const Stalls& before, const Stalls& after, const std::string& resource);

}  // namespace waggle::measure
