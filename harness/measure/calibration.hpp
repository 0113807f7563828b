// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace waggle::measure {

/// How long two fixed pieces of work took, in nanoseconds: the same work on the same machine takes the same time,
/// unless something else runs on it or its host.
struct Calibration {
  std::uint64_t arithmetic_ns = 0;  ///< median of the rounds of dependent integer arithmetic
  std::uint64_t memory_ns = 0;      ///< median of the rounds of reading and writing 4 MiB
  double spread = 0;                ///< (slowest - fastest) / median of the arithmetic rounds
};

/// Works for about 20 ms on the calling thread's CPU.
Calibration calibrate();

/// Why a machine that calibrated so before and after an experiment must be called noisy, one sentence each; empty when
/// it was quiet. `steal_share`: the share of all CPU time that the hypervisor gave to others meanwhile (0…1).
std::vector<std::string> noise(const Calibration& before, const Calibration& after, double steal_share);

}  // namespace waggle::measure
