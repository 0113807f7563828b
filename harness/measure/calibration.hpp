// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace waggle::measure {

/// How long two fixed pieces of work took, in nanoseconds: the same work on the same machine takes the same time,
/// unless something else runs on it or its host.
struct Calibration {
  std::uint64_t arithmetic_ns = 0;  ///< median of the rounds of dependent integer arithmetic
  std::uint64_t memory_ns = 0;      ///< median of the rounds of reading and writing 4 MiB
  double spread = 0;                ///< (slowest - fastest) / median of the arithmetic rounds
};

/// Works on the calling thread's CPU, about 2 ms for each of an odd number of rounds.
Calibration calibrate(std::size_t rounds = 7);

/// What may have disturbed an experiment.
struct Disturbance {
  Calibration before;
  Calibration after;
  double steal_share = 0;  ///< of all CPU time, what the hypervisor gave to others meanwhile (0…1)
  double throttled_s = 0;  ///< seconds that the cgroup's CPU quota stopped its processes
  /// Share of the time of both calibrations in which somebody waited for a CPU, though we needed one only (0…1).
  double cpu_pressure = 0;
  /// CPUs that programs other than the measured ones had in user mode while runs were on (1: one CPU all the time).
  double others_cpus = 0;
  double memory_pressure = 0;  ///< share of the experiment's time in which somebody waited for memory (0…1)
  std::map<int, std::pair<double, double>> frequency_mhz;  ///< lowest and highest around the runs, by CPU
};

/// Why the machine must be called noisy, one sentence each; empty when it was quiet.
std::vector<std::string> noise(const Disturbance& seen);

}  // namespace waggle::measure
