// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

#include "base/result.hpp"
#include "harness/cli/command.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/record/record.hpp"
#include "harness/report/style.hpp"

namespace waggle::cli {

/// Runs the experiment with a progress bar, then prints the record (--json) or `table` of it and where the record is.
/// The error is that of the first pair that failed; pairs that cannot run here are an error only when none could.
Result<> run_and_print(experiment::Spec spec, const Global& global,
                       std::string (*table)(const record::Record& record, const report::Style& style));

}  // namespace waggle::cli
