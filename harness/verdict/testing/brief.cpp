// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/testing/brief.hpp"

#include "harness/statistics/statistics.hpp"

namespace waggle::verdict::testing {
namespace {

using record::Role;

record::Run run_of(double goodput, std::size_t round) {
  record::Run run;
  run.verified = true;
  run.round = round;
  run.order = round;
  run.seconds = 1;
  run.payload_bytes = std::uint64_t{1} << 30;
  run.operations = 1;
  run.goodput_bits_per_second = goodput;
  run.parties = {{.role = Role::sender, .host = "server", .cpu = 0, .usage = {}},
                 {.role = Role::receiver, .host = "client", .cpu = 1, .usage = {}}};
  return run;
}

record::PartySummary party_of(Role role, double copies, double switches) {
  record::PartySummary party{.role = role};
  party.copies.kernel = {.measured = copies, .verification = 0, .grade = record::Grade::traced, .modelled = copies};
  party.copies.user = {.measured = 0, .verification = {}, .grade = record::Grade::counted, .modelled = 0};
  party.mode_switches = switches;
  return party;
}

}  // namespace

record::Contestant contestant(const Measured& measured) {
  record::Contestant one;
  one.label = measured.label;
  one.link = measured.link;
  one.parties = {{.role = Role::sender, .host = "server", .datapath = measured.label},
                 {.role = Role::receiver, .host = "client", .datapath = "read_write"}};
  for (const double goodput : measured.goodput) {
    one.runs.push_back(run_of(goodput, one.runs.size()));
  }
  auto probed = run_of(measured.goodput.front(), one.runs.size());
  probed.kind = record::Kind::probed;
  probed.trace.emplace();
  one.runs.push_back(probed);
  auto& summary = one.summary.emplace();
  summary.goodput_bits_per_second = statistics::interval_of(measured.goodput);
  summary.parties = {party_of(Role::sender, measured.copies, measured.switches), party_of(Role::receiver, 2, 100)};
  summary.copies = {.measured = measured.copies + 2, .grade = record::Grade::traced, .modelled = 0};
  return one;
}

record::Contestant without(const std::string& label, record::Status status, const std::string& reason,
                           const std::string& hint) {
  record::Contestant one;
  one.label = label;
  one.link = "veth";
  one.status = status;
  one.reason = reason;
  one.hint = hint;
  return one;
}

record::Record record_at(const Point& point, std::vector<record::Contestant> contestants, const std::string& created) {
  record::Record record;
  record.created = created;
  record.finished = created;
  record.suite = {.name = "bulk", .experiment = "size", .title = "Goodput against size", .point = point, .digest = ""};
  record.workload.name = "download";
  record.contestants = std::move(contestants);
  return record;
}

Rule rule(Is is, std::optional<double> value) {
  Rule rule;
  rule.claim = "Z2";
  rule.says = "sendfile is fast";
  rule.suite = "bulk";
  rule.experiment = "size";
  rule.figure = "goodput";
  rule.of = "sendfile";
  rule.is = is;
  rule.value = value;
  rule.within = is == Is::about ? 0.05 : 0;
  return rule;
}

Rule rule(Is is, const std::string& than, double times) {
  Rule compared = rule(is, std::nullopt);
  compared.than = than;
  compared.times = times;
  return compared;
}

std::vector<double> around(double middle, double spread, std::size_t values) {
  std::vector<double> all;
  for (std::size_t i = 0; i < values; ++i) {
    const std::size_t pair = i / 2;  // two by two, one on either side
    const std::size_t pairs = (values - 1) / 2;
    const double step = static_cast<double>(pair) / static_cast<double>(pairs);
    all.push_back(i % 2 == 0 ? middle + spread * step : middle - spread * step);
  }
  return all;
}

}  // namespace waggle::verdict::testing
