// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "datapaths/datapath.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/measure/capabilities.hpp"

namespace waggle::cli {
namespace {

using measure::Capability;

/// Datapaths are asked one by one; each knows what it needs.
std::vector<Capability> datapath_capabilities() {
  std::vector<Capability> found;
  for (const auto* datapath : datapaths()) {
    Capability one{.name = fmt::format("datapath {}", datapath->name()),
                   .need = fmt::format("--datapath={}", datapath->name()),
                   .required = false};
    const auto available = datapath->available();
    one.works = available.has_value();
    if (!available) {
      one.why_not = available.error().what;
      one.remedy = available.error().hint;
    }
    found.push_back(std::move(one));
  }
  return found;
}

nlohmann::json describe(const std::vector<Capability>& all) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& one : all) {
    list.push_back({{"name", one.name},
                    {"need", one.need},
                    {"required", one.required},
                    {"works", one.works},
                    {"why_not", one.why_not},
                    {"remedy", one.remedy}});
  }
  return list;
}

void print(const std::vector<Capability>& all, const Style& style) {
  std::size_t widest = 0;
  for (const auto& one : all) {
    widest = std::max(widest, columns(one.name));
  }
  for (const auto& one : all) {
    const Ink ink = one.works ? Ink::good : one.required ? Ink::bad : Ink::warning;
    const auto* mark = one.works ? "yes" : one.required ? "NO" : "no";
    const std::string space(widest - columns(one.name), ' ');
    fmt::print("{}{}  {}{}  {}\n", std::string(3 - columns(mark), ' '), paint(style, ink, mark), one.name, space,
               paint(style, Ink::faint, "for " + one.need));
    if (!one.works) {
      fmt::print("     {}\n", wrap(style, one.why_not, 5));
      if (!one.remedy.empty()) {
        fmt::print("     {} {}\n", paint(style, Ink::strong, "fix:"), one.remedy);
      }
    }
  }
}

/// What can run here, what cannot, why, and the command that would fix it.
class Doctor final : public Command {
 public:
  std::string_view name() const override { return "doctor"; }
  std::string_view summary() const override { return "what can run here, what cannot, why, and how to fix it"; }
  std::string_view examples() const override {
    return "  harness doctor\n"
           "  sudo harness doctor\n"
           "  harness doctor --json | jq -r '.capabilities[] | select(.works | not) | .remedy'\n";
  }
  void add_options(CLI::App&) override {}

  Result<> run(const Global& global) override {
    auto all = measure::capabilities();
    std::ranges::move(datapath_capabilities(), std::back_inserter(all));
    std::vector<std::string> lacking;
    for (const auto& one : all) {
      if (one.required && !one.works) {
        lacking.push_back(one.name);
      }
    }
    if (global.json) {
      fmt::print("{}\n", nlohmann::json{{"ready", lacking.empty()}, {"capabilities", describe(all)}}.dump(2));
    } else {
      print(all, output_style(global));
    }
    if (lacking.empty()) {
      return {};
    }
    return fail(Fault::missing, fmt::format("experiments cannot run here without: {}", fmt::join(lacking, ", ")),
                "the lines marked NO say how to get it");
  }
};

const Registration registration{std::make_unique<Doctor>()};

}  // namespace
}  // namespace waggle::cli
