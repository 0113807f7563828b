// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <optional>

#include "base/result.hpp"
#include "harness/measure/calibration.hpp"

namespace waggle::measure {

/// What two CPUs are like at a moment.
struct Look {
  /// How far they are from each other: nanoseconds that a cache line takes from one to the other and back (a ping-pong
  /// with acquire and release on an atomic), median of batches. Nothing for one CPU alone, or when others kept them
  /// busy.
  std::optional<double> round_trip_ns;
  Calibration calibration;              ///< of the first CPU
  std::map<int, double> frequency_mhz;  ///< of each CPU that tells it (cpufreq), while it was busy
};

/// The distance alone: about a millisecond in threads on `a` and `b`, before all others when the caller may use
/// SCHED_FIFO; given up after 50 ms. Fault::usage when this process may not run on one of them.
Result<std::optional<double>> round_trip_ns(int a, int b);

/// All of it, within some milliseconds.
Result<Look> look(int a, int b);

}  // namespace waggle::measure
