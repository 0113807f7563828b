// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "harness/cli/terminal.hpp"

/// Records (results/record.schema.json) as text for people. Pure functions: the same record gives the same text.
namespace waggle::cli {

/// Everything about each pair of an experiment: what moved where, what it cost, what was granted.
std::string run_table(const nlohmann::json& record, const Style& style);

/// All pairs of an experiment, best first, one table per link so that links are never mixed in a column, each with
/// where measured and modelled copies disagree; then what could not run.
std::string compare_table(const nlohmann::json& record, const Style& style);

/// run_table() for a record of one pair, compare_table() for more.
std::string record_table(const nlohmann::json& record, const Style& style);

}  // namespace waggle::cli
