// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/suggest.hpp"
#include "harness/experiment/saying.hpp"

namespace waggle::suite {
namespace {

/// Of an experiment, besides its options.
constexpr std::array<std::string_view, 4> kKeysOfItsOwn{"id", "title", "datapaths", "receiver"};
constexpr std::string_view kSettings = "settings";
/// Another name of "link", beside "datapaths".
constexpr std::string_view kLinks = "links";

/// All that an experiment may say, whatever its workload.
const std::set<std::string>& option_names() {
  static const std::set<std::string> names = [] {
    std::set<std::string> all{experiment::runs_option().name};
    const auto add = [&](const std::vector<OptionInfo>& options) {
      std::ranges::transform(options, std::inserter(all, all.end()), &OptionInfo::name);
    };
    add(experiment::spec_options().infos());
    add(workloads::common_options().infos());
    add(experiment::channel_options_to_say());
    for (const auto* workload : workloads::workloads()) {
      add(workload->options());
    }
    return all;
  }();
  return names;
}

std::unexpected<Error> unknown_key(const std::filesystem::path& file, const Node& key) {
  std::vector<std::string> known(option_names().begin(), option_names().end());
  known.insert(known.end(), kKeysOfItsOwn.begin(), kKeysOfItsOwn.end());
  known.emplace_back(kSettings);
  known.emplace_back(kLinks);
  std::string nearest = suggest(key.key, known);
  for (const OptionInfo& option : experiment::spec_options().infos()) {
    if (option.on_command_line() == on_command_line(key.key)) {  // "budget", where the option's name says its unit
      nearest = option.name;
    }
  }
  return wrong_at(file, key.key_place, fmt::format("an experiment has no key '{}'", key.key),
                  nearest.empty() ? "`harness list` shows the options; a key is the name of one, with _ for -"
                                  : fmt::format("did you mean {}?", nearest));
}

/// Whether the values of the option are lists themselves, so that only a list of lists is swept.
bool takes_lists(std::string_view name) {
  const auto option = find_option(experiment::spec_options().infos(), name);
  return option && (*option)->type.kind == OptionType::Kind::list;
}

Result<> add_axis(const std::filesystem::path& file, std::string name, bool setting, const Node& said,
                  std::vector<Axis>& axes) {
  if (std::ranges::find(axes, name, &Axis::name) != axes.end()) {
    return wrong_at(file, said.key_place, fmt::format("{} is said twice", name), "leave one of them out");
  }
  const bool list = said.is(Node::Kind::list);
  const bool swept = list && (!takes_lists(name) || said.items.empty() || said.items.front().is(Node::Kind::list));
  Axis axis{.name = std::move(name), .setting = setting, .swept = swept, .said = &said, .choices = {}};
  if (!swept) {
    axis.choices.push_back(&said);
  }
  for (std::size_t i = 0; swept && i < said.items.size(); ++i) {
    axis.choices.push_back(&said.items[i]);
  }
  if (axis.choices.empty()) {
    return wrong_at(file, said.place, fmt::format("{}: an empty list leaves nothing to run", axis.name),
                    "name a value, or leave the key out");
  }
  axes.push_back(std::move(axis));
  return {};
}

/// "settings.afxdp.mode = …": a table per datapath.
Result<> add_settings(const std::filesystem::path& file, const Node& settings, std::vector<Axis>& axes) {
  const auto* hint = "write settings.DATAPATH.OPTION = VALUE";
  if (!settings.is(Node::Kind::table)) {
    return wrong_at(file, settings.place, "settings is a table", hint);
  }
  for (const Node& datapath : settings.items) {
    if (!datapath.is(Node::Kind::table)) {
      return wrong_at(file, datapath.key_place, fmt::format("settings.{} is a table", datapath.key), hint);
    }
    for (const Node& option : datapath.items) {
      WAGGLE_TRY(add_axis(file, fmt::format("{}.{}", datapath.key, option.key), true, option, axes));
    }
  }
  return {};
}

Result<std::vector<Axis>> axes_in(const std::filesystem::path& file, const Node& table) {
  std::vector<Axis> axes;
  for (const Node& member : table.items) {
    if (std::ranges::find(kKeysOfItsOwn, member.key) != kKeysOfItsOwn.end()) {
      continue;
    }
    if (member.key == kSettings) {
      WAGGLE_TRY(add_settings(file, member, axes));
      continue;
    }
    const std::string name = member.key == kLinks ? "link" : member.key;
    if (!option_names().contains(name)) {
      return unknown_key(file, member);
    }
    WAGGLE_TRY(add_axis(file, name, false, member, axes));
  }
  return axes;
}

}  // namespace

Result<std::vector<Axis>> axes_of(const std::filesystem::path& file, const Node& experiment, const Node* defaults) {
  WAGGLE_LET(axes, axes_in(file, experiment));
  if (defaults != nullptr) {
    WAGGLE_LET(usual, axes_in(file, *defaults));
    for (Axis& axis : usual) {
      if (std::ranges::find(axes, axis.name, &Axis::name) == axes.end()) {
        axes.push_back(std::move(axis));
      }
    }
  }
  std::ranges::sort(axes, {}, [](const Axis& axis) { return axis.said->key_place; });
  return axes;
}

std::uint64_t points_of(const std::vector<Axis>& axes) {
  std::uint64_t points = 1;
  for (const Axis& axis : axes) {
    if (__builtin_mul_overflow(points, std::uint64_t{axis.choices.size()}, &points)) {
      return UINT64_MAX;
    }
  }
  return points;
}

std::vector<const Node*> at_point(const std::vector<Axis>& axes, std::uint64_t point) {
  std::vector<const Node*> values(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    const std::uint64_t choices = axes[i].choices.size();
    values[i] = axes[i].choices[point % choices];
    point /= choices;
  }
  return values;
}

}  // namespace waggle::suite
