// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <optional>

#include "harness/record/record.hpp"

namespace waggle::record {

/// What counts in a run of a workload: goodput in bits per second, operations per second, or, where nothing is asked,
/// the CPU share of all parties (1: one CPU).
double metric(const Workload& workload, const Run& run);

/// The same of a summary: its median with the interval.
const Interval& metric(const Workload& workload, const Summary& summary);

/// True when a contestant with `a` is better than one with `b`: more, or less CPU.
bool is_better(const Workload& workload, double a, double b);

/// Timed runs of a contestant that count: verified, and of `group` (Conditions::group) when that is given.
bool counts(const Run& run, std::optional<std::size_t> group);

}  // namespace waggle::record
