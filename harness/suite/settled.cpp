// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/settled.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "datapaths/settings.hpp"
#include "harness/experiment/option_json.hpp"
#include "harness/experiment/pairs.hpp"
#include "harness/experiment/saying.hpp"
#include "harness/experiment/suitability.hpp"

namespace waggle::suite {
namespace {

using experiment::Said;
using experiment::Spec;

nlohmann::json json_of(const Node& node) {
  using Kind = Node::Kind;
  switch (node.kind) {
    case Kind::flag: return node.flag;
    case Kind::integer: return node.integer;
    case Kind::real: return node.real;
    case Kind::text: return node.text;
    case Kind::list: {
      auto list = nlohmann::json::array();
      std::ranges::transform(node.items, std::back_inserter(list), json_of);
      return list;
    }
    default: return nlohmann::json::object();  // which no option has
  }
}

Result<> say_setting(Spec& spec, const std::string& name, const Node& value) {
  if (!value.is_single()) {
    return fail(Fault::usage, fmt::format("{} takes no such value", name), "write it as on a command line");
  }
  WAGGLE_TRY(read_setting(name, value.written()));
  spec.channel.settings[name] = value.written();
  return {};
}

/// One option of an experiment, whose workload is known.
Result<> say_option(Spec& spec, Said& said, const std::string& name, const Node& value) {
  const auto read = [&](const OptionInfo& option) -> Result<OptionValue> {
    auto done = experiment::value_from_json(option.type, json_of(value));
    return done ? std::move(done) : in_option(name, std::move(done).error());
  };
  if (name == experiment::runs_option().name) {
    WAGGLE_LET(runs, read(experiment::runs_option()));
    return experiment::say_runs(spec, said, std::get<std::uint64_t>(runs));
  }
  if (const auto option = find_option(experiment::spec_options().infos(), name)) {
    WAGGLE_LET(known, read(**option));
    WAGGLE_TRY(experiment::spec_options().set(spec, name, known));
  } else if (const auto common = find_option(workloads::common_options().infos(), name)) {
    WAGGLE_LET(known, read(**common));
    WAGGLE_TRY(workloads::common_options().set(spec.parameters, name, known));
  } else if (const auto channel = find_option(experiment::channel_options_to_say(), name)) {
    WAGGLE_LET(known, read(**channel));
    WAGGLE_TRY(channel_options().set(spec.channel, name, known));
  } else {
    WAGGLE_LET(workload, workloads::find_workload(spec.workload));
    const auto own = find_option(workload->options(), name);
    if (!own) {
      return workloads::says_nothing(name, *workload);
    }
    WAGGLE_LET(known, read(**own));
    spec.parameters.own[name] = std::move(known);
  }
  said.insert(name);
  return {};
}

/// What a call says overrides what the file says, and what that makes impossible.
Result<> say_overrides(Spec& spec, Said& said, const Overrides& overrides) {
  for (const auto& [name, value] : overrides.values) {
    WAGGLE_TRY(experiment::spec_options().set(spec, name, value));
    said.insert(name);
  }
  const bool least = overrides.values.contains("least_runs");
  const bool most = overrides.values.contains("most_runs");
  if (most && !least) {
    spec.least_runs = std::min(spec.least_runs, spec.most_runs);
  }
  if (least && !most) {
    spec.most_runs = std::max(spec.most_runs, spec.least_runs);
  }
  if (overrides.runs) {
    spec.least_runs = spec.most_runs = static_cast<std::uint32_t>(*overrides.runs);
    said.insert({"least_runs", "most_runs"});
  }
  return {};
}

/// Where the option is said that an error begins with; where the experiment begins when there is none.
Place place_of(const Error& error, const std::vector<Axis>& axes, Place otherwise) {
  for (const Axis& axis : axes) {
    const auto option = find_option(experiment::spec_options().infos(), axis.name);
    const std::string flag = option ? (*option)->on_command_line() : on_command_line(axis.name);
    if (error.what.starts_with(flag) || error.what.starts_with(axis.name)) {
      return axis.said->key_place;
    }
  }
  return otherwise;
}

/// Pairs, and all that follows from the whole.
Result<> settle_all(Spec& spec, const Said& said, const Contestants& contestants) {
  WAGGLE_LET(pairs,
             experiment::parse_pairs(contestants.datapaths, contestants.receiver, experiment::payload_sink(spec)));
  spec.pairs = std::move(pairs);
  WAGGLE_TRY(experiment::settle(spec, said));
  WAGGLE_TRY(experiment::check_named(spec, contestants.datapaths, contestants.receiver));
  return experiment::check_settings_used(spec);
}

}  // namespace

Result<Planned> settled(const std::filesystem::path& file, Place begins, const Contestants& contestants,
                        const std::vector<Axis>& axes, const std::vector<const Node*>& values,
                        const Overrides& overrides) {
  Planned planned;
  Spec& spec = planned.spec;
  Said said;
  // Options of workloads mean something to the one that was chosen, and "runs" says what others may have said.
  for (const int turn : {0, 1, 2}) {
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if ((axes[i].name == "workload" ? 0 : axes[i].name == experiment::runs_option().name ? 2 : 1) != turn) {
        continue;
      }
      auto done = axes[i].setting ? say_setting(spec, axes[i].name, *values[i])
                                  : say_option(spec, said, axes[i].name, *values[i]);
      if (!done) {
        return wrong_at(file, values[i]->place, std::move(done).error());
      }
      if (axes[i].swept) {
        const Node& value = *values[i];
        planned.point[axes[i].name] = value.is(Node::Kind::list) ? json_of(value).dump() : value.written();
      }
    }
  }
  WAGGLE_TRY(say_overrides(spec, said, overrides));
  if (auto done = settle_all(spec, said, contestants); !done) {
    Error& error = done.error();
    const bool of_work = error.what.starts_with("--work:");
    const bool is_said = std::ranges::find(axes, "work", &Axis::name) != axes.end();
    if (of_work && (!is_said || overrides.values.contains("work"))) {  // which is the caller's
      return std::unexpected(std::move(error));
    }
    if (of_work || error.fault == Fault::usage) {
      const Place place = place_of(error, axes, error.what.starts_with("--") ? begins : contestants.place);
      return wrong_at(file, place, std::move(error));
    }
    planned.problem = std::move(error);
  }
  planned.digest = digest_of(spec);
  return planned;
}

}  // namespace waggle::suite
