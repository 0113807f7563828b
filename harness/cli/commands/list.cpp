// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "base/units.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/settings.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/datapath_settings.hpp"
#include "harness/cli/described_options.hpp"
#include "harness/cli/terminal.hpp"
#include "harness/declared/suite_files.hpp"
#include "harness/experiment/option_json.hpp"
#include "harness/experiment/spec.hpp"
#include "harness/record/json_text.hpp"
#include "harness/record/names.hpp"
#include "harness/report/style.hpp"
#include "harness/suite/suite.hpp"
#include "workloads/workload.hpp"

namespace waggle::cli {
namespace {

std::string ends_of(const Datapath& datapath) {
  const bool sends = datapath.moves(Side::sender);
  const auto one = name(sends ? record::Role::sender : record::Role::receiver);
  return sends && datapath.moves(Side::receiver) ? "both" : std::string(one);
}

/// Options of a datapath as they are called on the command line.
std::vector<OptionInfo> options_of(const Datapath& datapath) {
  auto options = datapath.options();
  for (OptionInfo& option : options) {
    option.flag = on_command_line(fmt::format("{}.{}", datapath.name(), option.name));
    option.group = kDatapathGroup;
  }
  return options;
}

/// Options of all experiments that mean something to some workloads alone.
std::vector<OptionInfo> heeded_by(const workloads::Workload& workload) {
  const auto traits = workload.traits();
  std::vector<OptionInfo> heeded;
  for (const auto& [name, heeds] : {std::pair{"sink", traits.fills_sink},
                                    {"tmpfs_huge", traits.fills_sink},
                                    {"cache", traits.reads_files},
                                    {"digest", traits.reads_files},
                                    {"file", traits.takes_file}}) {
    if (heeds) {
      heeded.push_back(**find_option(experiment::spec_options().infos(), name));
    }
  }
  return heeded;
}

/// What it takes over its first link, with its settings as they are by themselves.
std::vector<Need> needs_of(const Datapath& datapath) {
  ChannelOptions usual;
  usual.link = datapath.links().front();
  return datapath.needs(usual);
}

nlohmann::json describe(const Datapath& datapath) {
  nlohmann::json entry = {{"name", datapath.name()},
                          {"summary", datapath.summary()},
                          {"carrier", word_of(datapath.carrier())},
                          {"sends", datapath.moves(Side::sender)},
                          {"receives", datapath.moves(Side::receiver)},
                          {"links", datapath.links()},
                          {"options", experiment::describe(options_of(datapath))}};
  entry["needs"] = nlohmann::json::array();
  for (const Need& need : needs_of(datapath)) {
    entry["needs"].push_back({{"kind", word_of(need.kind)}, {"what", need.what}});
  }
  const auto available = datapath.available();
  entry["available"] = available.has_value();
  if (!available) {
    entry["reason"] = available.error().text();
  }
  return entry;
}

nlohmann::json describe(const workloads::Workload& workload) {
  auto options = workload.options();
  for (OptionInfo& option : options) {
    option.group = kWorkloadGroup;
  }
  std::ranges::move(heeded_by(workload), std::back_inserter(options));
  return {{"name", workload.name()}, {"summary", workload.summary()}, {"options", experiment::describe(options)}};
}

void print(const report::Style& style, const OptionInfo& option) {
  const auto written = fmt::format("{} {}", option.on_command_line(), option.type.shown);
  fmt::print("{}\n", report::wrap(style, fmt::format("{:15}{:<27} {}", "", written, help_with_default(option)), 43));
}

nlohmann::json describe_suite(const std::filesystem::path& file) {
  const auto head = suite::read_head(file);
  if (!head) {
    return {{"name", file.stem().string()}, {"problem", head.error().text()}};
  }
  return {{"name", head->name},
          {"title", head->title},
          {"about", head->about},
          {"claims", head->claims},
          {"seconds", head->seconds}};
}

void print_suites(const report::Style& style) {
  const auto files = declared::suites_in(declared::shipped_suites());
  if (files.empty()) {
    return;
  }
  fmt::print("\n{}\n", report::paint(style, report::Ink::strong, "Suites (harness suite NAME)"));
  for (const auto& file : files) {
    const auto head = suite::read_head(file);
    const std::string time =
        head && head->seconds > 0 ? fmt::format(" (about {})", format_duration_ns(head->seconds * 1e9)) : "";
    fmt::print("{}\n", report::wrap(style,
                                    fmt::format("  {:<12} {}{}", file.stem().string(),
                                                printable(head ? head->title : head.error().text()), time),
                                    15));
  }
}

/// What can be chosen: datapaths with the ends they serve and their options, workloads with theirs, and suites.
class List final : public Command {
 public:
  std::string_view name() const override { return "list"; }
  std::string_view summary() const override { return "datapaths and workloads with their options, and suites"; }
  std::string_view examples() const override {
    return "  harness list\n"
           "  harness list --json | jq -r '.datapaths[].name'\n";
  }
  void add_options(CLI::App&) override {}

  Result<> run(const Global& global) override {
    if (global.json) {
      nlohmann::json all = {{"datapaths", nlohmann::json::array()},
                            {"workloads", nlohmann::json::array()},
                            {"suites", nlohmann::json::array()},
                            {"options",
                             {{"experiment", experiment::describe(experiment::spec_options().infos())},
                              {"workload", experiment::describe(workloads::common_options().infos())},
                              {"channel", experiment::describe(channel_options().infos())}}}};
      for (const auto* datapath : datapaths()) {
        all["datapaths"].push_back(describe(*datapath));
      }
      for (const auto* workload : workloads::workloads()) {
        all["workloads"].push_back(describe(*workload));
      }
      for (const auto& file : declared::suites_in(declared::shipped_suites())) {
        all["suites"].push_back(describe_suite(file));
      }
      fmt::print("{}\n", record::json_text(all, 2));
      return {};
    }
    const report::Style style = output_style(global);
    fmt::print("{}\n", report::paint(style, report::Ink::strong, "Datapaths (--datapath, --sender, --receiver)"));
    for (const auto* datapath : datapaths()) {
      const auto line = fmt::format("  {:<12} {:<8}  {} (links: {})", datapath->name(), ends_of(*datapath),
                                    datapath->summary(), fmt::join(datapath->links(), ", "));
      fmt::print("{}\n", report::wrap(style, line, 25));
      if (const auto available = datapath->available(); !available) {
        fmt::print("{:25}{}\n", "", report::wrap(style, "cannot run here: " + printable(available.error().text()), 25));
      }
      for (const Need& need : needs_of(*datapath)) {
        fmt::print("{:25}{}\n", "", report::wrap(style, "needs " + need.what, 25));
      }
      for (const auto& option : options_of(*datapath)) {
        const auto setting = option.flag + "=" + option.default_value;
        fmt::print("{}\n", report::wrap(style, fmt::format("{:25}{}  {}", "", setting, option_help(option)), 27));
      }
    }
    fmt::print("\n{}\n", report::paint(style, report::Ink::strong, "Workloads (--workload)"));
    for (const auto* workload : workloads::workloads()) {
      fmt::print("  {:<12} {}\n", workload->name(), workload->summary());
      for (const OptionInfo& option : workload->options()) {
        print(style, option);
      }
      for (const OptionInfo& option : heeded_by(*workload)) {
        print(style, option);
      }
    }
    print_suites(style);
    return {};
  }
};

const Registration list_registration{std::make_unique<List>()};

}  // namespace
}  // namespace waggle::cli
