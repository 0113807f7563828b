// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/answers/record_set.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/verdict/verdict.hpp"

namespace waggle::answers {

/// All claims by what the set's records say; from results/claims.toml and the suites that come with the program.
Result<std::vector<verdict::Verdict>> judge(const RecordSet& set);

/// Verdicts as the model has them; evidence is named by the ids of experiments.
nlohmann::json verdicts_json(const RecordSet& set, const std::vector<verdict::Verdict>& verdicts);

/// One row per claim: what the documents say, their figure, ours, the verdict and why.
Sheet verdict_sheet(const std::vector<verdict::Verdict>& verdicts);

}  // namespace waggle::answers
