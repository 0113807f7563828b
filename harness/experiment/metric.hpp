// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace waggle::experiment {

/// What counts in a run of a workload (a record's "workload"): goodput in bits per second, operations per second, or,
/// where nothing is asked, the CPU share of both processes (1: one CPU).
double metric(const nlohmann::json& workload, const nlohmann::json& run);

/// True when a pair with `a` is better than one with `b`: more, or less CPU.
bool is_better(const nlohmann::json& workload, double a, double b);

/// Timed runs of a pair that count: verified, and of `group` when that is given (their "conditions"."group").
bool counts(const nlohmann::json& run, const nlohmann::json& group);

}  // namespace waggle::experiment
