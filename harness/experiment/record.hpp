// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/experiment/spec.hpp"
#include "harness/experiment/statistics.hpp"

namespace waggle::experiment {

/// All that is known of one pair, and what becomes of it in the record.
struct PairRecord {
  Pair pair;
  bool unavailable = false;
  std::optional<Error> problem;  ///< why it failed or is unavailable
  std::optional<std::string> probe_problem;
  nlohmann::json facts;
  nlohmann::json model;
  nlohmann::json runs = nlohmann::json::array();
  Stop stopped = Stop::no;
};

/// What a record says besides its pairs.
struct RecordFrame {
  std::string created;  ///< timestamp()
  nlohmann::json git;
  nlohmann::json workload;
  nlohmann::json environment;
  std::string share;  ///< name(measure::Shared) of the two CPUs
};

/// Puts a record together (results/record.schema.json).
nlohmann::json build_record(const Spec& spec, const RecordFrame& frame, const std::vector<PairRecord>& pairs);

/// UTC now, "2026-01-31T23:59:59Z".
std::string timestamp();

}  // namespace waggle::experiment
