// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/answers/record_set.hpp"
#include "harness/verdict/verdict.hpp"

namespace waggle::answers {

inline constexpr const char* kModelSchema = "waggle-report/1";

/// All that a report shows, with every number that is in it: what draws plots and shows the page computes none
///. The same records give the same text.
nlohmann::json model(const RecordSet& set, const std::vector<Experiment>& experiments,
                     const std::vector<verdict::Verdict>& verdicts, const std::string& title);

}  // namespace waggle::answers
