// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/experiment_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "datapaths/settings.hpp"
#include "harness/cli/described_options.hpp"
#include "harness/experiment/cpus.hpp"
#include "harness/experiment/like.hpp"
#include "harness/experiment/saying.hpp"
#include "harness/experiment/suitability.hpp"

namespace waggle::cli {
namespace {

using experiment::Said;
using experiment::Spec;

/// Sets what was said; every name is in the table, and every value fits.
template <typename S>
Result<> say_all(const OptionTable<S>& table, S& into, const OptionValues& values, Said& said) {
  for (const auto& [name, value] : values) {
    WAGGLE_TRY(table.set(into, name, value));
    said.insert(name);
  }
  return {};
}

}  // namespace

void ExperimentOptions::add_to(CLI::App& app) {
  const std::string where = "Where and how";
  add_described(app, experiment::spec_options().infos(), spec_said_);
  add_workload_options(app, workload_said_, kWorkloadGroup);
  add_described(app, workloads::common_options().infos(), common_said_);
  add_described(app, channel_options().infos(), channel_said_);
  const auto one_cpu = OptionType::number(0, INT32_MAX);
  const std::vector<OptionInfo> more{
      {"server_cpu", "", one_cpu, "where the server runs, instead of --cpus", {}, "", where},
      {"client_cpu", "", one_cpu, "where the client runs, likewise", {}, "", where},
      experiment::runs_option(),
  };
  add_described(app, more, more_said_);
  app.add_option("--like", like_, "a record: all of its settings, where nothing else is said")
      ->option_text("RECORD")
      ->group("Settings of before");
  app.add_option("--output,-o", record_, "where the record goes (results/…)")->option_text("FILE")->group("Output");
  settings_.add_to(app, where);
}

void ExperimentOptions::add_question_to(CLI::App& app) {
  for (const char* name : {"workload", "link", "sink", "cache", "mtu"}) {
    add_described(app, **find_option(experiment::spec_options().infos(), name), spec_said_);
  }
  add_workload_options(app, workload_said_, kWorkloadGroup);
  add_described(app, workloads::common_options().infos(), common_said_);
}

Said ExperimentOptions::asked() const {
  Said names;
  for (const auto* said : {&spec_said_, &common_said_}) {
    for (const auto& [name, value] : *said) {
      names.insert(name);
    }
  }
  for (const auto& [name, text] : workload_said_) {
    names.insert(name);
  }
  return names;
}

/// The options of the workload that was chosen, each read as this one means it.
Result<> ExperimentOptions::say_workload(Spec& spec, Said& said) const {
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  for (const auto& [name, text] : workload_said_) {
    const auto option = find_option(workload->options(), name);
    if (!option) {
      return workloads::says_nothing(on_command_line(name), *workload);
    }
    auto value = (*option)->type.parse(text);
    if (!value) {
      return in_option((*option)->on_command_line(), std::move(value).error());
    }
    spec.parameters.own[name] = *std::move(value);
    said.insert(name);
  }
  return {};
}

Result<Said> ExperimentOptions::say(Spec& spec) const {
  Said said;
  if (const auto workload = spec_said_.find("workload"); workload != spec_said_.end()) {
    WAGGLE_TRY(experiment::change_workload(spec, std::get<std::string>(workload->second)));
  }
  WAGGLE_TRY(say_all(experiment::spec_options(), spec, spec_said_, said));
  WAGGLE_TRY(say_all(workloads::common_options(), spec.parameters, common_said_, said));
  WAGGLE_TRY(say_all(channel_options(), spec.channel, channel_said_, said));
  WAGGLE_TRY(say_workload(spec, said));
  WAGGLE_LET(settings, settings_.values());
  for (auto& [name, value] : settings) {
    spec.channel.settings[name] = value;
  }
  return said;
}

/// --runs, which says both bounds.
Result<> ExperimentOptions::settle_runs(Spec& spec, Said& said) const {
  const auto runs = more_said_.find("runs");
  if (runs == more_said_.end()) {
    return {};
  }
  return experiment::say_runs(spec, said, std::get<std::uint64_t>(runs->second));
}

/// --cpus, or one option for each end.
Result<> ExperimentOptions::settle_cpus(Spec& spec) const {
  const auto one = [&](const std::string& name, int otherwise) -> Result<int> {
    const auto said = more_said_.find(name);
    if (said == more_said_.end()) {
      return otherwise;
    }
    const int cpu = static_cast<int>(std::get<std::uint64_t>(said->second));
    WAGGLE_TRY(experiment::check_cpu(on_command_line(name), cpu));
    return cpu;
  };
  if (!more_said_.contains("server_cpu") && !more_said_.contains("client_cpu")) {
    return {};
  }
  if (spec_said_.contains("cpus")) {
    return fail(Fault::usage, "--cpus says it all", "leave out --server-cpu and --client-cpu");
  }
  WAGGLE_LET(usual, experiment::parse_cpus(spec.cpus, spec.pci));
  WAGGLE_LET(server, one("server_cpu", usual.first));
  WAGGLE_LET(client, one("client_cpu", usual.second));
  spec.cpus = fmt::format("{},{}", server, client);
  return {};
}

Result<Spec> ExperimentOptions::spec(const Global& global) const {
  Spec spec;
  if (like()) {
    WAGGLE_LET(recorded, experiment::spec_like(like_));
    spec = std::move(recorded);
  }
  WAGGLE_LET(said, say(spec));
  WAGGLE_TRY(settle_runs(spec, said));
  if (like()) {
    WAGGLE_TRY(experiment::leave_behind(spec, said));
  }
  WAGGLE_TRY(settle_cpus(spec));
  spec.record = record_;
  spec.command_line = global.command_line;
  WAGGLE_TRY(experiment::settle(spec, said));
  if (said.contains("probed_runs") && spec.probed_runs != 0) {
    WAGGLE_TRY(experiment::check_probing());
  }
  return spec;
}

Result<> ExperimentOptions::use(Spec& spec, std::vector<experiment::Pair> pairs) const {
  spec.pairs = std::move(pairs);
  WAGGLE_LET(said, settings_.values());
  std::erase_if(spec.channel.settings, [&](const auto& setting) {
    const std::string_view datapath = std::string_view(setting.first).substr(0, setting.first.find('.'));
    return !said.contains(setting.first) && std::ranges::none_of(spec.pairs, [&](const experiment::Pair& pair) {
      return pair.sender == datapath || pair.receiver == datapath;
    });
  });
  return experiment::check_settings_used(spec);
}

}  // namespace waggle::cli
