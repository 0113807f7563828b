// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/report/figures.hpp"
#include "harness/report/missing_text.hpp"
#include "harness/report/placement_text.hpp"
#include "harness/report/record_text.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::answers {
namespace {

/// "2 × AMD EPYC (virtual), Linux 6.1.0". What the recorder could not find out is left out.
std::string machine_text(const record::Host& host) {
  const auto& cpu = host.others.members.value("cpu", nlohmann::json::object());
  std::vector<std::string> parts;
  if (cpu.is_object()) {
    const auto model = cpu.value("model", nlohmann::json());
    const auto online = cpu.value("online", nlohmann::json());
    if (model.is_string() && online.is_number_integer()) {
      const bool is_virtual = cpu.value("virtual", nlohmann::json()) == true;
      parts.push_back(fmt::format("{} × {}{}", online.get<std::int64_t>(), waggle::printable(model.get<std::string>()),
                                  is_virtual ? " (virtual)" : ""));
    }
  }
  if (!host.kernel.empty()) {
    parts.push_back("Linux " + host.kernel);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// How many runs count, of each contestant.
std::set<std::size_t> runs_of(const Experiment& experiment) {
  std::set<std::size_t> runs;
  for (const auto* contestant : experiment.contestants) {
    runs.insert(report::counted_runs(experiment.record(), *contestant).size());
  }
  return runs;
}

/// "n = 12 each", "n = 6 to 12".
std::string runs_text(const Experiment& experiment) {
  const auto runs = runs_of(experiment);
  if (runs.empty()) {
    return "no runs";
  }
  const auto each = experiment.contestants.size() > 1 ? " each" : "";
  return runs.size() == 1 ? fmt::format("n = {}{}", *runs.begin(), each)
                          : fmt::format("n = {} to {}", *runs.begin(), *runs.rbegin());
}

}  // namespace

std::string machine_of(const record::Record& record) {
  std::vector<std::string> machines;
  for (const auto& host : record.environment.hosts) {
    machines.push_back(machine_text(host));
  }
  return fmt::format("{}", fmt::join(machines, " and "));
}

std::string caption_of(const Experiment& experiment) {
  std::vector<std::string> parts;
  if (!experiment.link.empty()) {
    parts.push_back(report::link_text(experiment.record(), experiment.link));
  }
  if (const auto machine = machine_of(experiment.record()); !machine.empty()) {
    parts.push_back(machine);
  }
  parts.push_back(runs_text(experiment));
  const auto runs = runs_of(experiment);
  const bool enough = !runs.empty() && *runs.begin() >= statistics::least_covering();
  parts.emplace_back(enough ? "medians with 95 % intervals" : "medians with intervals, too few runs for 95 %");
  return fmt::format("{}", fmt::join(parts, " · "));
}

std::vector<std::string> warnings_of(const Experiment& experiment) {
  const auto& record = experiment.record();
  std::vector<std::string> warnings;
  for (const auto& reason : record.environment.noise) {
    warnings.push_back("Noisy machine: " + reason);
  }
  if (report::tells_placement(record)) {
    const auto& placement = *record.placement;
    if (!placement.counted && placement.rule != record::PlacementRule::any) {
      warnings.push_back(fmt::format("Placement: {}.", report::placement_note(record)));
    }
  }
  std::vector<std::string> drifted;
  std::vector<std::string> few;
  for (const auto* contestant : experiment.contestants) {
    const auto figures = report::figures_of(record, *contestant);
    const auto main = std::ranges::find(figures, report::main_figure(record), &report::Figure::name);
    if (main != figures.end() && report::has_drifted(main->value)) {
      drifted.push_back(contestant->label);
    }
    if (report::counted_runs(record, *contestant).size() < statistics::least_covering()) {
      few.push_back(contestant->label);
    }
    for (const auto& line : report::disagreements(*contestant)) {
      warnings.push_back("Copies: " + line);
    }
  }
  if (!drifted.empty()) {
    warnings.push_back(fmt::format("The machine drifted, so intervals were widened: {}.", fmt::join(drifted, ", ")));
  }
  if (!few.empty()) {
    warnings.push_back(fmt::format("Too few runs for an interval of 95 %: {}.", fmt::join(few, ", ")));
  }
  if (record.git.dirty) {
    warnings.emplace_back("The program was built from a tree with changes that no revision has.");
  }
  if (auto missing = report::missing_text(record); !missing.empty()) {
    warnings.push_back(std::move(missing));
  }
  return warnings;
}

}  // namespace waggle::answers
