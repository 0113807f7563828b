// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/settings.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/datapath_settings.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/experiment/json_text.hpp"
#include "harness/record/names.hpp"
#include "workloads/workload.hpp"

namespace waggle::cli {
namespace {

std::string ends_of(const Datapath& datapath) {
  const bool sends = datapath.moves(Side::sender);
  const auto one = name(sends ? record::Role::sender : record::Role::receiver);
  return sends && datapath.moves(Side::receiver) ? "both" : std::string(one);
}

nlohmann::json describe(const Datapath& datapath) {
  nlohmann::json options = nlohmann::json::array();
  for (const auto& option : datapath.options()) {
    options.push_back({{"name", option.name}, {"default", option.default_value}, {"help", option_help(option)}});
  }
  nlohmann::json entry = {{"name", datapath.name()},
                          {"summary", datapath.summary()},
                          {"carrier", datapath.carrier() == Carrier::stream ? "stream" : "packet"},
                          {"sends", datapath.moves(Side::sender)},
                          {"receives", datapath.moves(Side::receiver)},
                          {"links", datapath.links()},
                          {"options", std::move(options)}};
  const auto available = datapath.available();
  entry["available"] = available.has_value();
  if (!available) {
    entry["reason"] = available.error().text();
  }
  return entry;
}

nlohmann::json describe(const workloads::Workload& workload) {
  nlohmann::json options = nlohmann::json::array();
  for (const auto& option : workload.options()) {
    options.push_back({{"name", option.name}, {"help", option.help}});
  }
  return {{"name", workload.name()}, {"summary", workload.summary()}, {"options", std::move(options)}};
}

/// What can be chosen: datapaths with the ends they serve and their options, and workloads with theirs.
class List final : public Command {
 public:
  std::string_view name() const override { return "list"; }
  std::string_view summary() const override { return "datapaths and workloads, with their options"; }
  std::string_view examples() const override {
    return "  harness list\n"
           "  harness list --json | jq -r '.datapaths[].name'\n";
  }
  void add_options(CLI::App&) override {}

  Result<> run(const Global& global) override {
    if (global.json) {
      nlohmann::json all = {{"datapaths", nlohmann::json::array()}, {"workloads", nlohmann::json::array()}};
      for (const auto* datapath : datapaths()) {
        all["datapaths"].push_back(describe(*datapath));
      }
      for (const auto* workload : workloads::workloads()) {
        all["workloads"].push_back(describe(*workload));
      }
      fmt::print("{}\n", experiment::json_text(all, 2));
      return {};
    }
    const Style style = output_style(global);
    fmt::print("{}\n", paint(style, Ink::strong, "Datapaths (--datapath, --sender, --receiver)"));
    for (const auto* datapath : datapaths()) {
      const auto line = fmt::format("  {:<12} {:<8}  {} (links: {})", datapath->name(), ends_of(*datapath),
                                    datapath->summary(), fmt::join(datapath->links(), ", "));
      fmt::print("{}\n", wrap(style, line, 25));
      if (const auto available = datapath->available(); !available) {
        fmt::print("{:25}{}\n", "", wrap(style, "cannot run here: " + printable(available.error().text()), 25));
      }
      for (const auto& option : datapath->options()) {
        const auto setting =
            on_command_line(fmt::format("{}.{}", datapath->name(), option.name)) + "=" + option.default_value;
        fmt::print("{}\n", wrap(style, fmt::format("{:25}{}  {}", "", setting, option_help(option)), 27));
      }
    }
    fmt::print("\n{}\n", paint(style, Ink::strong, "Workloads (--workload)"));
    for (const auto* workload : workloads::workloads()) {
      fmt::print("  {:<12} {}\n", workload->name(), workload->summary());
      for (const auto& option : workload->options()) {
        fmt::print("{:15}--{:<11} {}\n", "", option.name, option.help);
      }
    }
    return {};
  }
};

const Registration list_registration{std::make_unique<List>()};

}  // namespace
}  // namespace waggle::cli
