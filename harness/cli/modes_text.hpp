// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/cli/terminal.hpp"

/// What was requested and what was granted, as every table says it: "gro on", "zero_copy no (requested auto)", and so
/// that it stands out "xdp generic (not the requested native)".
namespace waggle::cli {

/// Of one pair: what both sides were granted, what only one was, and its link.
std::string pair_modes(const nlohmann::json& record, const nlohmann::json& pair, const Style& style);
/// Of several pairs over one link: what all have in common once, then what else each has; pairs that have the same
/// share a line.
std::string table_modes(const nlohmann::json& record, const std::string& link,
                        const std::vector<const nlohmann::json*>& pairs, const Style& style);

}  // namespace waggle::cli
