// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/described_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "workloads/workload.hpp"

namespace waggle::cli {
namespace {

/// An option of one or several workloads that mean the same by it.
struct Meaning {
  const OptionInfo* option;
  std::vector<std::string_view> workloads;
};

/// Options of one name, by what they mean.
using Meanings = std::vector<Meaning>;

void add_meaning(Meanings& meanings, const OptionInfo& option, std::string_view workload) {
  const auto same = std::ranges::find_if(meanings, [&](const Meaning& known) {
    return known.option->help == option.help && known.option->default_value == option.default_value;
  });
  if (same != meanings.end()) {
    same->workloads.push_back(workload);
  } else {
    meanings.push_back({&option, {workload}});
  }
}

/// "of the file (1GiB): download, upload".
std::string help_of(const Meanings& meanings) {
  std::vector<std::string> parts;
  std::ranges::transform(meanings, std::back_inserter(parts), [](const Meaning& meaning) {
    return fmt::format("{}: {}", fmt::join(meaning.workloads, ", "), help_with_default(*meaning.option));
  });
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

std::string help_with_default(const OptionInfo& option) {
  const bool tells = !option.default_value.empty() && !option.type.shown.empty();
  return tells ? fmt::format("{} ({})", option.help, option.default_value) : option.help;
}

void add_described(CLI::App& app, const OptionInfo& option, OptionValues& said, const std::string& group) {
  const std::string flag = option.on_command_line();
  CLI::Option* added = nullptr;
  if (option.type.shown.empty()) {
    const auto set = [&said, name = option.name](std::int64_t times) { said[name] = times > 0; };
    added = app.add_flag_function(flag, set, option.help);
  } else {
    const auto set = [&said, name = option.name, type = option.type, flag](const std::string& text) {
      auto value = type.parse(text);
      if (!value) {
        throw CLI::ValidationError(flag, value.error().text());
      }
      said[name] = *std::move(value);
    };
    added = app.add_option_function<std::string>(flag, set, help_with_default(option))->option_text(option.type.shown);
  }
  added->group(group.empty() ? option.group : group);
}

void add_described(CLI::App& app, const std::vector<OptionInfo>& options, OptionValues& said) {
  for (const OptionInfo& option : options) {
    if (!option.group.empty()) {
      add_described(app, option, said);
    }
  }
}

void add_workload_options(CLI::App& app, std::map<std::string, std::string>& said, const std::string& group) {
  std::vector<std::string> order;
  std::map<std::string, Meanings> by_name;
  for (const auto* workload : workloads::workloads()) {
    for (const OptionInfo& option : workload->options()) {
      if (!by_name.contains(option.name)) {
        order.push_back(option.name);
      }
      add_meaning(by_name[option.name], option, workload->name());
    }
  }
  for (const std::string& name : order) {
    const Meanings& meanings = by_name.at(name);
    const std::string& shown = meanings.front().option->type.shown;
    const bool alike =
        std::ranges::all_of(meanings, [&](const Meaning& meaning) { return meaning.option->type.shown == shown; });
    app.add_option_function<std::string>(
           on_command_line(name), [&said, name](const std::string& text) { said[name] = text; }, help_of(meanings))
        ->option_text(!alike || shown.empty() ? "VALUE" : shown)
        ->group(group);
  }
}

}  // namespace waggle::cli
