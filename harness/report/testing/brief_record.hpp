// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/table.hpp"

/// For tests of tables: records of version 1 in short, which tests change as they like, and the tables of them. What
/// they do not say is nothing that a table looks at.
namespace waggle::report::testing {

using nlohmann::json;

/// Of 6 runs.
json interval(double median);
json place(double measured, double modelled);
json both(double sender, double receiver);
json cost(double each);
json summary(double bits_per_second);
json ok_pair(const std::string& label, double bits_per_second);
json record_of(std::vector<json> pairs);

std::string run_table(const json& record, const Style& style);
std::string compare_table(const json& record, const Style& style);

/// Columns of the widest line.
std::size_t widest(const std::string& text);
bool holds(const std::string& text, std::string_view part);

}  // namespace waggle::report::testing
