// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "harness/doctor/findings.hpp"
#include "harness/report/style.hpp"

/// Findings for people and for programs. Pure functions: the same findings give the same text.
namespace waggle::doctor {

/// A line or more for each capability, then the distance if there is one. Ends in a newline.
std::string findings_text(const Findings& findings, const report::Style& style);
std::string distance_text(const Distance& distance, const report::Style& style);

/// Members "ready", "capabilities" and "placement", null without a distance.
nlohmann::json to_json(const Findings& findings);
nlohmann::json to_json(const Distance& distance);

}  // namespace waggle::doctor
