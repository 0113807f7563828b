// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/datapath_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "datapaths/settings.hpp"
#include "harness/cli/described_options.hpp"

namespace waggle::cli {
namespace {

constexpr const char* kSeeList = "`harness list` shows the options of every datapath";

Result<std::pair<std::string, std::string>> parse_setting(const std::string& text) {
  const auto dot = text.find('.');
  const auto equals = text.find('=');
  if (dot == std::string::npos || equals == std::string::npos || dot > equals) {
    return fail(Fault::usage, fmt::format("--set: '{}' is not NAME.OPTION=VALUE", text), kSeeList);
  }
  WAGGLE_LET(datapath, find_datapath(text.substr(0, dot)));
  const auto option = text.substr(dot + 1, equals - dot - 1);
  const auto options = datapath->options();
  if (std::ranges::find(options, option, &OptionInfo::name) == options.end()) {
    return fail(Fault::usage, fmt::format("--set: {} has no option '{}'", datapath->name(), option), kSeeList);
  }
  return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace

std::string option_help(const OptionInfo& option) {
  return option.links.empty() ? option.help : fmt::format("link {}: {}", fmt::join(option.links, ", "), option.help);
}

void DatapathSettings::add_to(CLI::App& app, const std::string& group) {
  app.add_option("--set", set_, "an option of a datapath, see `harness list`")
      ->option_text("NAME.OPTION=VALUE")
      ->allow_extra_args(false)
      ->group(group);
  for (const auto* datapath : datapaths()) {
    for (OptionInfo option : datapath->options()) {
      option.help = option_help(option);
      const std::string key = fmt::format("{}.{}", datapath->name(), option.name);
      app.add_option_function<std::string>(
             on_command_line(key), [this, key](const std::string& value) { named_[key] = value; },
             help_with_default(option))
          ->option_text(option.type.shown)
          ->group(kDatapathGroup);
    }
  }
}

Result<std::map<std::string, std::string>> DatapathSettings::values() const {
  auto values = named_;
  for (const auto& text : set_) {
    WAGGLE_LET(setting, parse_setting(text));
    const auto& [name, value] = setting;
    if (named_.contains(name)) {
      return fail(Fault::usage, fmt::format("{} is set twice", name), "leave one of them out");
    }
    values[name] = value;
  }
  return values;
}

}  // namespace waggle::cli
