// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/testing/made.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/statistics/statistics.hpp"

namespace waggle::answers::testing {
namespace {

constexpr double kGiga = 1e9;
constexpr std::uint64_t kPayload = std::uint64_t{1} << 30U;

record::Run run_of(double gigabits, std::uint64_t round) {
  record::Run run;
  run.round = round;
  run.order = round;
  run.verified = true;
  run.conditions.emplace();
  run.goodput_bits_per_second = gigabits * kGiga;
  run.payload_bytes = kPayload;
  run.operations = 1;
  run.seconds = static_cast<double>(kPayload) * 8 / run.goodput_bits_per_second;
  for (const auto role : {record::Role::sender, record::Role::receiver}) {
    record::Party party{.role = role, .host = role == record::Role::sender ? "server" : "client", .usage = {}};
    party.usage.system_s = run.seconds / 4;
    run.parties.push_back(std::move(party));
  }
  return run;
}

record::Contestant contestant_of(const std::string& label, const std::vector<double>& gigabits) {
  record::Contestant contestant{.label = label, .link = "veth", .parties = {}, .runs = {}, .elsewhere = {}};
  record::Summary summary;
  for (const auto role : {record::Role::sender, record::Role::receiver}) {
    contestant.parties.push_back({.role = role, .host = {}, .datapath = label});
    summary.parties.push_back({.role = role});
  }
  std::vector<double> values;
  for (std::size_t round = 0; round < gigabits.size(); ++round) {
    contestant.runs.push_back(run_of(gigabits[round], round));
    values.push_back(gigabits[round] * kGiga);
  }
  summary.goodput_bits_per_second = statistics::interval_of(values);
  contestant.summary = std::move(summary);
  return contestant;
}

}  // namespace

record::Record made(const Rounds& rounds, int day) {
  record::Record record;
  record.created = fmt::format("2026-01-{:02}T00:00:00Z", day);
  record.finished = record.created;
  record.command_line = {"harness", "compare"};
  record.workload = {.name = "download", .bulk = true};
  record.spec.workload = "download";
  record.spec.sink = "discard";
  record.spec.cache = "warm";
  record.spec.channel.congestion = "cubic";
  record.environment.links["veth"].kind = "veth";
  record.placement.emplace();
  for (const auto& [label, gigabits] : rounds) {
    record.contestants.push_back(contestant_of(label, gigabits));
  }
  return record;
}

record::Record at_size(const std::string& size, const Rounds& rounds, int day) {
  auto record = made(rounds, day);
  auto& suite = record.suite.emplace();
  suite.name = "bulk";
  suite.experiment = "size";
  suite.title = "Goodput against size";
  suite.point = {{"size", size}};
  return record;
}

record::Host host_of(const std::string& model, int cpus) {
  record::Host host;
  host.names = {"server", "client"};
  host.kernel = "6.1.0";
  host.others.members = {{"cpu", {{"model", model}, {"online", cpus}, {"virtual", true}}},
                         {"memory_bytes", std::uint64_t{8} << 30U}};
  return host;
}

record::Record made_on(const record::Host& host, record::Record record) {
  record.environment.hosts = {host};
  return record;
}

RecordSet set_of(record::Record record) {
  RecordSet set;
  set.sources.push_back({.id = "r1", .file = "made.json", .record = std::move(record)});
  return set;
}

}  // namespace waggle::answers::testing
