// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/option.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// The one place where described options (base/option.hpp) become options of CLI11.
namespace waggle::cli {

/// In --help: the options of all workloads, and those of all datapaths.
inline constexpr const char* kWorkloadGroup = "Workload";
inline constexpr const char* kDatapathGroup = "Options of datapaths";

/// Adds the option, in its own group or in this one. What the user says of it goes into `said`, by its name; a value
/// that does not fit ends parsing with one line. `said` must outlive `app`.
void add_described(CLI::App& app, const OptionInfo& option, OptionValues& said, const std::string& group = {});
/// All of a table that have a group.
void add_described(CLI::App& app, const std::vector<OptionInfo>& options, OptionValues& said);

/// The options of all workloads: those of one name are one option here, whose value the workload that is chosen reads.
/// `said`: by name, as text.
void add_workload_options(CLI::App& app, std::map<std::string, std::string>& said, const std::string& group);

/// The help of an option with what stands for "nothing was said".
std::string help_with_default(const OptionInfo& option);

}  // namespace waggle::cli
