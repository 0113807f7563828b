// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/convert.hpp"

#include <nlohmann/json.hpp>

#include "harness/experiment/recorded.hpp"
#include "harness/record/archive.hpp"

namespace waggle::experiment {

using nlohmann::json;

std::string_view name(Sink sink) {
  switch (sink) {
    case Sink::discard: return "discard";
    case Sink::file: return "file";
    case Sink::tmpfs: return "tmpfs";
  }
  return "discard";
}

std::string_view name(Cache cache) {
  return cache == Cache::warm ? "warm" : "cold";
}

std::string_view name(NapiChoice napi) {
  return napi == NapiChoice::automatic ? "auto" : napi == NapiChoice::threaded ? "threaded" : "softirq";
}

std::string_view name(PlacementRule rule) {
  return rule == PlacementRule::same ? "same" : rule == PlacementRule::report ? "report" : "any";
}

json to_json(const workloads::Parameters& parameters) {
  return {{"size", parameters.size},           {"count", parameters.count},
          {"small_min", parameters.small_min}, {"small_max", parameters.small_max},
          {"request", parameters.request},     {"response", parameters.response},
          {"block", parameters.block},         {"depth", parameters.depth},
          {"rate", parameters.rate},           {"seconds", parameters.seconds},
          {"upload", parameters.upload},       {"clients", parameters.clients},
          {"seed", parameters.seed},           {"sink", parameters.sink == Incoming::Sink::file ? "file" : "discard"}};
}

workloads::Parameters parameters_from_json(const json& json) {
  workloads::Parameters parameters;
  json.at("size").get_to(parameters.size);
  json.at("count").get_to(parameters.count);
  json.at("small_min").get_to(parameters.small_min);
  json.at("small_max").get_to(parameters.small_max);
  json.at("request").get_to(parameters.request);
  json.at("response").get_to(parameters.response);
  json.at("block").get_to(parameters.block);
  json.at("depth").get_to(parameters.depth);
  json.at("rate").get_to(parameters.rate);
  json.at("seconds").get_to(parameters.seconds);
  json.at("upload").get_to(parameters.upload);
  json.at("clients").get_to(parameters.clients);
  json.at("seed").get_to(parameters.seed);
  parameters.sink = json.at("sink") == "file" ? Incoming::Sink::file : Incoming::Sink::discard;
  return parameters;
}

json to_json(const ChannelOptions& options) {
  return {{"congestion", options.congestion},
          {"send_buffer", options.send_buffer},
          {"receive_buffer", options.receive_buffer},
          {"wait", options.wait == Wait::spin ? "spin" : "sleep"},
          {"timeout_s", std::chrono::duration<double>(options.timeout).count()},
          {"allow_fallback", options.allow_fallback},
          {"link", options.link},
          {"link_at", options.link_at},
          {"mtu", options.mtu},
          {"settings", options.settings}};
}

ChannelOptions channel_from_json(const json& json) {
  ChannelOptions options;
  json.at("congestion").get_to(options.congestion);
  json.at("send_buffer").get_to(options.send_buffer);
  json.at("receive_buffer").get_to(options.receive_buffer);
  options.wait = json.at("wait") == "spin" ? Wait::spin : Wait::sleep;
  options.timeout = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(json.at("timeout_s").get<double>()));
  json.at("allow_fallback").get_to(options.allow_fallback);
  json.at("link").get_to(options.link);
  json.at("link_at").get_to(options.link_at);
  json.at("mtu").get_to(options.mtu);
  json.at("settings").get_to(options.settings);
  return options;
}

json to_json(const Facts& facts) {
  return record::write(recorded(facts));
}

json to_json(const Spec& spec) {
  json pairs = json::array();
  for (const Pair& pair : spec.pairs) {
    pairs.push_back({{name(record::Role::sender), pair.sender},
                     {name(record::Role::receiver), pair.receiver},
                     {"link", pair.link}});
  }
  // What channels are told of their link differs between pairs and ends; the pairs and the link say it.
  json channel = to_json(spec.channel);
  for (const char* of_link : {"link", "link_at", "mtu"}) {
    channel.erase(of_link);
  }
  return {{"pairs", pairs},
          {"link", spec.link},
          {"pci", spec.pci},
          {"napi", name(spec.napi)},
          {"workload", spec.workload},
          {"parameters", to_json(spec.parameters)},
          {"sink", name(spec.sink)},
          {"tmpfs_huge", spec.tmpfs_huge},
          {"cache", name(spec.cache)},
          {"mtu", spec.mtu},
          {"queues", spec.queues},
          {"offloads", spec.offloads},
          {"server_cpu", spec.server_cpu},
          {"client_cpu", spec.client_cpu},
          {"cpus", spec.cpus},
          {"placement", name(spec.placement)},
          {"channel", channel},
          {"digest", waggle::name(spec.digest)},
          {"warmups", spec.warmups},
          {"least_runs", spec.least_runs},
          {"most_runs", spec.most_runs},
          {"interval_target", spec.interval_target},
          {"budget_seconds", spec.budget_seconds},
          {"probed_runs", spec.probed_runs},
          {"seed", spec.seed},
          {"file", spec.file ? json(spec.file->string()) : json(nullptr)}};
}

json to_json(const Histogram& histogram) {
  return record::write(recorded(histogram));
}

}  // namespace waggle::experiment
