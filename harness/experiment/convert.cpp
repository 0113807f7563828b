// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/convert.hpp"

#include <nlohmann/json.hpp>

#include "datapaths/settings.hpp"
#include "harness/experiment/option_json.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/record/archive.hpp"
#include "harness/record/names.hpp"

namespace waggle::experiment {

using nlohmann::json;

json to_json(const workloads::Parameters& parameters) {
  json all = to_json(workloads::common_options(), parameters);
  all.update(to_json(parameters.own));
  return all;
}

Result<workloads::Parameters> parameters_from_json(const workloads::Workload& workload, const json& object) {
  workloads::Parameters parameters;
  json common = json::object();
  json own = json::object();
  for (const auto& [name, value] : object.items()) {
    const bool shared = find_option(workloads::common_options().infos(), name).has_value();
    if (!shared && !find_option(workload.options(), name)) {
      return workloads::says_nothing(on_command_line(name), workload);
    }
    (shared ? common : own)[name] = value;
  }
  WAGGLE_TRY(set_from_json(workloads::common_options(), parameters, common));
  WAGGLE_LET(said, values_from_json(workload.options(), own));
  WAGGLE_LET(complete, workloads::own_values(workload, said));
  parameters.own = std::move(complete);
  return parameters;
}

json to_json(const ChannelOptions& options) {
  json all = to_json(channel_options(), options);
  all["settings"] = options.settings;
  return all;
}

Result<ChannelOptions> channel_from_json(const json& object) {
  ChannelOptions options;
  json described = object;
  described.erase("settings");
  WAGGLE_TRY(set_from_json(channel_options(), options, described));
  const auto settings = object.find("settings");
  if (settings == object.end()) {
    return options;
  }
  for (const auto& [name, value] : settings->items()) {
    if (!value.is_string()) {
      return fail(Fault::usage, "settings: " + name + " is no text", "write it as on a command line");
    }
    options.settings[name] = value.get<std::string>();
  }
  return options;
}

Result<ChannelOptions> channel_options_of(const Opening& opening) {
  WAGGLE_LET(options, channel_from_json(opening.channel.members));
  options.receive_with = opening.receive_with;
  return options;
}

json to_json(const Spec& spec) {
  json all = to_json(spec_options(), spec);
  // What channels are told of their link differs between pairs and ends; the pairs and the link say it.
  json channel = to_json(spec.channel);
  for (const char* of_link : {"link", "link_at", "mtu"}) {
    channel.erase(of_link);
  }
  all["channel"] = std::move(channel);
  all["parameters"] = to_json(spec.parameters);
  all["server_cpu"] = spec.server_cpu;
  all["client_cpu"] = spec.client_cpu;
  all["pairs"] = json::array();
  for (const Pair& pair : spec.pairs) {
    all["pairs"].push_back({{name(record::Role::sender), pair.sender},
                            {name(record::Role::receiver), pair.receiver},
                            {"link", pair.link}});
  }
  return all;
}

}  // namespace waggle::experiment
