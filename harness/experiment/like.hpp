// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/experiment/spec_check.hpp"

namespace waggle::experiment {

/// The settings of an experiment from a record's "spec". What is missing in it has its default; links of pairs are left
/// to be chosen again. Fault::usage, naming it, for what this version does not know or take.
Result<Spec> spec_from_json(const nlohmann::json& spec);

/// The settings that a record was made with, to make another one like it. Fault::usage for a record of a schema that
/// this version does not know; the errors of files for one that cannot be read.
Result<Spec> spec_like(const std::filesystem::path& record);

/// Gives `spec` another workload. What was said of the old one and the new one has as well keeps its
/// value; what it has no use for gets its default.
Result<> change_workload(Spec& spec, const std::string& workload);

/// Gives what a record says its default where it cannot be together with what was `said` now: a file and a size, a
/// link and what only another one can be told, a huge tmpfs and another sink, least and most runs. What contradicts
/// itself otherwise stays, for settle() to refuse it.
Result<> leave_behind(Spec& spec, const Said& said);

}  // namespace waggle::experiment
