// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/like.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "harness/experiment/convert.hpp"
#include "harness/experiment/option_json.hpp"
#include "harness/record/file.hpp"
#include "harness/record/names.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Schemas whose settings are read here.
constexpr std::array<std::string_view, 2> kSchemas{"waggle-record/1", "waggle-record/2"};

/// Up to 2026-11-27 parameters were those of all workloads together, with a flag for the direction and 0 for a count
/// that a workload decides.
bool of_all_workloads(const json& parameters) {
  return std::ranges::all_of(std::array{"upload", "block", "small_min", "rate"},
                             [&](const char* name) { return parameters.contains(name); });
}

json parameters_of_before(const workloads::Workload& workload, const json& all) {
  json own = json::object();
  for (const auto& [name, value] : all.items()) {
    const bool decided = name != "count" || value != 0;
    if (decided && (find_option(workloads::common_options().infos(), name) || find_option(workload.options(), name))) {
      own[name] = value;
    }
  }
  if (find_option(workload.options(), "direction")) {
    own["direction"] = all.at("upload").get<bool>() ? "upload" : "download";
  }
  return own;
}

Result<std::vector<Pair>> pairs_from_json(const json& list) {
  std::vector<Pair> pairs;
  for (const json& pair : list) {
    pairs.push_back({.sender = pair.at(name(record::Role::sender)), .receiver = pair.at(name(record::Role::receiver))});
    WAGGLE_TRY(find_datapath(pairs.back().sender));
    WAGGLE_TRY(find_datapath(pairs.back().receiver));
  }
  return pairs;
}

Result<Spec> read_spec(const json& all) {
  Spec spec;
  json described = all;
  for (const char* apart : {"pairs", "channel", "parameters", "server_cpu", "client_cpu"}) {
    described.erase(apart);
  }
  WAGGLE_TRY(set_from_json(spec_options(), spec, described));
  if (!all.contains("cpus")) {  // records of before 2026-11-27
    spec.cpus = fmt::format("{},{}", all.at("server_cpu").get<int>(), all.at("client_cpu").get<int>());
  }
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  const json& said = all.at("parameters");
  WAGGLE_LET(parameters,
             parameters_from_json(*workload, of_all_workloads(said) ? parameters_of_before(*workload, said) : said));
  spec.parameters = std::move(parameters);
  WAGGLE_LET(channel, channel_from_json(all.at("channel")));
  spec.channel = std::move(channel);
  WAGGLE_LET(pairs, pairs_from_json(all.at("pairs")));
  spec.pairs = std::move(pairs);
  return spec;
}

using Names = std::initializer_list<const char*>;

/// Where some of `one` and `other` contradict each other: defaults for those that a record said, when only the others
/// were said now. Otherwise it stays, and is refused.
Result<> give_way(Spec& spec, const Said& said, Names one, Names other) {
  const auto now = [&](Names names) {
    return std::ranges::any_of(names, [&](const char* name) { return said.contains(name); });
  };
  if (now(one) == now(other)) {
    return {};
  }
  const Spec fresh;
  const OptionValues usual = spec_options().values(fresh);
  for (const char* name : now(one) ? other : one) {
    WAGGLE_TRY(spec_options().set(spec, name, usual.at(name)));
  }
  return {};
}

/// What some links can be told, and others cannot.
Result<> settle_link(Spec& spec, const Said& said) {
  const auto cannot = [&](bool topology::LinkKind::* trait) { return !(topology::link_kind(spec.link).*trait); };
  const bool chosen = spec.link != "auto";
  if (spec.napi != NapiChoice::automatic && chosen && cannot(&topology::LinkKind::queues)) {
    WAGGLE_TRY(give_way(spec, said, {"link", "pci"}, {"napi"}));
  }
  if (spec.queues != 1 && chosen && cannot(&topology::LinkKind::queues)) {
    WAGGLE_TRY(give_way(spec, said, {"link", "pci"}, {"queues"}));
  }
  if (spec.middle && chosen && cannot(&topology::LinkKind::queues)) {
    WAGGLE_TRY(give_way(spec, said, {"link", "pci"}, {"middle", "loss", "reorder"}));
  }
  if (!spec.offloads && chosen && cannot(&topology::LinkKind::device)) {
    WAGGLE_TRY(give_way(spec, said, {"link", "pci"}, {"offloads"}));
  }
  if (!spec.pci.empty() && cannot(&topology::LinkKind::addresses)) {
    WAGGLE_TRY(give_way(spec, said, {"link"}, {"pci"}));
  }
  if (spec.middle && spec.offloads) {
    WAGGLE_TRY(give_way(spec, said, {"offloads"}, {"middle", "loss", "reorder"}));
  }
  return spec.middle ? Result<>() : give_way(spec, said, {"middle"}, {"loss", "reorder"});
}

}  // namespace

Result<Spec> spec_from_json(const json& spec) {
  try {
    return read_spec(spec);
  } catch (const json::exception& error) {
    return fail(Fault::usage, fmt::format("the settings are not whole: {}", error.what()));
  }
}

Result<Spec> spec_like(const std::filesystem::path& path) {
  WAGGLE_LET(record, record::read_document(path));
  const auto schema = record.value("schema", std::string());
  if (std::ranges::find(kSchemas, schema) == kSchemas.end()) {
    return fail(Fault::usage,
                fmt::format("{} has the schema {}, which this version does not know", path.native(), schema),
                fmt::format("name a record of one of: {}", fmt::join(kSchemas, ", ")));
  }
  if (!record.contains("spec")) {
    return fail(Fault::usage, fmt::format("{} does not say what it was made with", path.native()),
                "name a record that run or compare has written");
  }
  auto spec = spec_from_json(record.at("spec"));
  return spec ? std::move(spec) : in_option(path.native(), std::move(spec).error());
}

Result<> change_workload(Spec& spec, const std::string& name) {
  WAGGLE_LET(workload, workloads::find_workload(name));
  if (name == spec.workload) {
    return {};
  }
  const Spec usual;
  WAGGLE_LET(before, workloads::find_workload(spec.workload));
  const std::string_view follows = spec.file ? before->traits().file_size : "";
  WAGGLE_LET(defaults, workloads::own_values(*before, {}));
  spec.workload = name;
  std::erase_if(spec.parameters.own, [&](const auto& value) {
    const auto option = find_option(workload->options(), value.first);
    const auto usual_value = defaults.find(value.first);
    const bool said = value.first != follows && (usual_value == defaults.end() || usual_value->second != value.second);
    return !said || !option || !(*option)->type.check(value.second);
  });
  const auto traits = workload->traits();
  if (!traits.fills_sink) {
    spec.sink = usual.sink;
    spec.tmpfs_huge = usual.tmpfs_huge;
  }
  spec.cache = traits.reads_files ? spec.cache : usual.cache;
  spec.digest = traits.reads_files ? spec.digest : usual.digest;
  spec.file = traits.takes_file ? spec.file : usual.file;
  return {};
}

Result<> leave_behind(Spec& spec, const Said& said) {
  const Spec usual;
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  if (spec.file && said.contains(workload->traits().file_size)) {
    spec.file = said.contains("file") ? spec.file : std::nullopt;
  }
  if (spec.tmpfs_huge && spec.sink != Sink::tmpfs) {
    WAGGLE_TRY(give_way(spec, said, {"sink"}, {"tmpfs_huge"}));
  }
  if (spec.least_runs > spec.most_runs) {
    WAGGLE_TRY(give_way(spec, said, {"least_runs"}, {"most_runs"}));
  }
  workloads::Parameters filling = spec.parameters;
  filling.sink = Incoming::Sink::file;
  workloads::Parameters discarding = spec.parameters;
  discarding.sink = Incoming::Sink::discard;
  if (spec.sink == Sink::discard && !said.contains("sink") && !workload->check(discarding) &&
      workload->check(filling)) {
    spec.sink = usual.sink;
  }
  return settle_link(spec, said);
}

}  // namespace waggle::experiment
