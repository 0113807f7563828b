// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "harness/record/record.hpp"
#include "harness/report/style.hpp"

/// What was requested and what was granted, as every table says it: "gro on", "zero_copy no (requested auto)", and so
/// that it stands out "xdp generic (not the requested native)".
namespace waggle::report {

/// Of one contestant: what all its parties were granted, what only one was, and its link.
std::string contestant_modes(const record::Record& record, const record::Contestant& contestant, const Style& style);
/// Of several contestants over one link: what all have in common once, then what else each has; those that have the
/// same share a line.
std::string table_modes(const record::Record& record, const std::string& link,
                        const std::vector<const record::Contestant*>& contestants, const Style& style);

}  // namespace waggle::report
