// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "harness/cli/command.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/doctor/findings.hpp"
#include "harness/doctor/findings_text.hpp"
#include "harness/experiment/cpus.hpp"
#include "harness/record/json_text.hpp"

namespace waggle::cli {
namespace {

/// Between the CPUs that experiments with these --cpus use.
Result<doctor::Distance> distance_of(const std::string& cpus) {
  WAGGLE_LET(chosen, experiment::parse_cpus(cpus, {}));
  return doctor::measure_distance(chosen.first, chosen.second);
}

/// What can run here, what cannot, why, and the command that would fix it.
class Doctor final : public Command {
 public:
  std::string_view name() const override { return "doctor"; }
  std::string_view summary() const override { return "what can run here, what cannot, why, and how to fix it"; }
  std::string_view examples() const override {
    return "  harness doctor\n"
           "  sudo harness doctor\n"
           "  harness doctor --placement --cpus=far         # only how far these CPUs are from each other, now\n"
           "  harness doctor --json | jq -r '.capabilities[] | select(.works | not) | .remedy'\n";
  }
  void add_options(CLI::App& app) override {
    app.add_flag("--placement", placement_, "only how far the CPUs of server and client are from each other");
    app.add_option("--cpus", cpus_, "which: near, far, siblings, or N,M (as run chooses them)")->option_text("CPUS");
  }

  Result<> run(const Global& global) override {
    const auto distance = distance_of(cpus_);
    if (placement_ || cpus_ != "auto") {
      WAGGLE_TRY(distance);
    }
    if (placement_) {
      print(global, {{"placement", doctor::to_json(*distance)}},
            doctor::distance_text(*distance, output_style(global)));
      return {};
    }
    const doctor::Findings findings{.capabilities = doctor::find_capabilities(),
                                    .distance = distance ? std::optional(*distance) : std::nullopt};
    print(global, doctor::to_json(findings), doctor::findings_text(findings, output_style(global)));
    const auto lacking = findings.lacking();
    if (lacking.empty()) {
      return {};
    }
    return fail(Fault::missing, fmt::format("experiments cannot run here without: {}", fmt::join(lacking, ", ")),
                "the lines marked NO say how to get it");
  }

 private:
  static void print(const Global& global, const nlohmann::json& json, const std::string& text) {
    fmt::print("{}", global.json ? record::json_text(json, 2) + "\n" : text);
  }

  bool placement_ = false;
  std::string cpus_ = "auto";
};

const Registration doctor_registration{std::make_unique<Doctor>()};

}  // namespace
}  // namespace waggle::cli
