// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/option.hpp"
#include "base/result.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/datapath_settings.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/experiment/spec_check.hpp"

namespace waggle::cli {

/// The options that `run` and `compare` share, and the Spec that they amount to: what the user has said, over the
/// defaults or over the settings of a record (--like).
class ExperimentOptions {
 public:
  void add_to(CLI::App& app);
  /// Only those that say what is asked, and nothing of how, how often or by whom it is measured.
  void add_question_to(CLI::App& app);
  /// Names of the options of add_question_to() that the user has said.
  experiment::Said asked() const;
  /// Whether the settings of a record are the base.
  bool like() const { return !like_.empty(); }
  /// The Spec without its record, settled (spec_check.hpp). Its pairs are those of the record, or none.
  Result<experiment::Spec> spec(const Global& global) const;
  /// Gives `spec` the pairs that somebody has named instead. Settings of the record for datapaths that are used no more
  /// are left behind; Fault::usage for those that the user has said for one that is not used.
  Result<> use(experiment::Spec& spec, std::vector<experiment::Pair> pairs) const;

 private:
  Result<experiment::Said> say(experiment::Spec& spec) const;
  Result<> say_workload(experiment::Spec& spec, experiment::Said& said) const;
  Result<> settle_runs(experiment::Spec& spec, experiment::Said& said) const;
  Result<> settle_cpus(experiment::Spec& spec) const;

  std::string like_;
  std::filesystem::path record_;
  OptionValues spec_said_;
  OptionValues common_said_;
  OptionValues channel_said_;
  OptionValues more_said_;  ///< "runs", "server_cpu" and "client_cpu", which stand for others
  std::map<std::string, std::string> workload_said_;
  DatapathSettings settings_;
};

}  // namespace waggle::cli
