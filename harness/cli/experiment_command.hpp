// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "harness/cli/command.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/record/record.hpp"
#include "harness/report/style.hpp"

namespace waggle::cli {

/// An experiment that was made.
struct KeptRecord {
  record::Record record;
  std::optional<std::filesystem::path> file = {};  ///< where the record is; nothing when it could not be written
  Result<> outcome = {};                           ///< what the exit code must say: what failed, or was interrupted
};

/// Runs the experiment with a progress bar and writes its record, where the spec says or below results_place(). An
/// error when there are no figures to show.
Result<KeptRecord> run_and_keep(experiment::Spec spec, const Global& global);

/// The same, then prints the record (--json) or `table` of it and where the record is.
/// The error is that of the first pair that failed; pairs that cannot run here are an error only when none could.
Result<> run_and_print(experiment::Spec spec, const Global& global,
                       std::string (*table)(const record::Record& record, const report::Style& style));

}  // namespace waggle::cli
