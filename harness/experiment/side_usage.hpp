// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "datapaths/datapath.hpp"

namespace waggle::experiment {

/// What one measured process used. As a reading: since it started; as a difference: in the measured window.
struct SideUsage {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t user_copied_bytes = 0;  ///< by copy_payload()
  std::uint64_t peak_memory_bytes = 0;  ///< resident, since the process started; not a difference
  Counters counters;                    ///< of the channels

  SideUsage since(const SideUsage& before) const;
};

/// Reads the calling process. `without_this_thread`: leaves out what the calling thread used (getrusage(2),
/// RUSAGE_THREAD); an agent's main thread only answers the harness while others work, and that is none of the
/// datapath's.
SideUsage read_usage(bool without_this_thread);
/// Highest resident memory of this process in bytes (VmHWM: getrusage's would remember the program before exec).
std::uint64_t peak_memory();

}  // namespace waggle::experiment
