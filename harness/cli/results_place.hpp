// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

namespace waggle::cli {

/// Where records lie when nobody says it: "results", or $WAGGLE_RESULTS when that is set.
std::string results_place();

}  // namespace waggle::cli
