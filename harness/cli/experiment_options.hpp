// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/datapath_settings.hpp"
#include "harness/experiment/spec.hpp"

namespace waggle::cli {

/// The options that `run` and `compare` share, and the Spec that they amount to.
class ExperimentOptions {
 public:
  void add_to(CLI::App& app);
  /// The Spec without its pairs and its record, checked as far as it can be before anything is set up.
  Result<experiment::Spec> spec(const Global& global) const;

 private:
  void add_workload_options(CLI::App& app);
  void add_environment_options(CLI::App& app);
  void add_repetition_options(CLI::App& app);
  Result<> check_workload() const;
  Result<> check_file() const;
  Result<> check_machine() const;
  Result<> check_probing() const;
  Result<> settle_repetitions(experiment::Spec& spec) const;
  Result<> settle_cpus(experiment::Spec& spec) const;

  experiment::Spec spec_;
  std::string sink_ = "tmpfs";
  std::string cache_ = "warm";
  std::string direction_ = "download";
  std::string offloads_ = "on";
  std::string wait_ = "sleep";
  std::string digest_ = "xxh3";
  std::string file_;
  std::string napi_ = "auto";
  std::string placement_ = "same";
  DatapathSettings settings_;
  std::uint32_t runs_ = 0;
  std::vector<std::pair<std::string, CLI::Option*>> parameters_;  ///< options that only some workloads read
  CLI::Option* least_runs_ = nullptr;
  CLI::Option* most_runs_ = nullptr;
  CLI::Option* budget_ = nullptr;
  CLI::Option* probed_ = nullptr;
  CLI::Option* size_ = nullptr;
  CLI::Option* cpus_ = nullptr;
  CLI::Option* server_cpu_ = nullptr;
  CLI::Option* client_cpu_ = nullptr;
};

}  // namespace waggle::cli
