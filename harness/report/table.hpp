// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

#include "harness/record/record.hpp"
#include "harness/report/style.hpp"

/// Records as text for people. Pure functions: the same record gives the same text.
namespace waggle::report {

/// Everything about each contestant of an experiment: what moved where, what it cost, what was granted.
std::string run_table(const record::Record& record, const Style& style);

/// All contestants of an experiment, best first, one table per link so that links are never mixed in a column, each
/// with where measured and modelled copies disagree; then what could not run.
std::string compare_table(const record::Record& record, const Style& style);

/// run_table() for a record of one contestant, compare_table() for more.
std::string record_table(const record::Record& record, const Style& style);

}  // namespace waggle::report
