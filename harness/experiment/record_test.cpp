// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/record.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/histogram.hpp"
#include "harness/experiment/control.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/granted.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/summary.hpp"
#include "harness/experiment/timeline.hpp"
#include "harness/record/archive.hpp"

using namespace waggle;
using namespace waggle::experiment;
using nlohmann::json;
using record::Grade;
using record::Role;

namespace {

constexpr std::uint64_t kGiB = 1024U * 1024U * 1024U;

record::Party party(record::Role role, double user, double system, std::uint64_t copied) {
  return {.role = role,
          .host = "",
          .cpu = 0,
          .usage = {.user_s = user,
                    .system_s = system,
                    .voluntary_switches = 3,
                    .involuntary_switches = 1,
                    .minor_faults = 10,
                    .major_faults = 0,
                    .peak_memory_bytes = 5'000'000,
                    .user_copied_bytes = copied,
                    .perf = {},
                    .counters = {}}};
}

record::Latencies latency(std::uint64_t each) {
  Histogram histogram;
  histogram.record(each);
  return {{"download", recorded(histogram)}};
}

record::Run run(record::Kind kind, double seconds, std::uint64_t latency_ns) {
  record::Run run;
  run.kind = kind;
  run.verified = true;
  run.seconds = seconds;
  run.payload_bytes = kGiB;
  run.operations = 1;
  run.goodput_bits_per_second = static_cast<double>(kGiB) * 8 / seconds;
  run.operations_per_second = 1 / seconds;
  run.latency_ns = latency(latency_ns);
  run.verify_seconds = 0.1;
  run.parties = {party(Role::sender, 0.1, 0.2, 0), party(Role::receiver, 0.2, 0.5, kGiB)};
  run.machine.busy_s = 1.5;
  run.machine.softirq_s = 0.3;
  return run;
}

record::Run timed(double seconds, std::uint64_t latency_ns) {
  return run(record::Kind::timed, seconds, latency_ns);
}

record::PartyTrace trace_of(record::Role role, std::uint64_t copied) {
  return {.role = role, .calls = {}, .system_calls = 40, .mode_switches = 80, .kernel_copied_bytes = copied};
}

record::Run probed(double seconds, std::uint64_t sender_copied) {
  record::Run probed = run(record::Kind::probed, seconds, 5);
  probed.trace = record::Trace{.grade = Grade::traced,
                               .why_not_better = "",
                               .parties = {trace_of(Role::sender, sender_copied), trace_of(Role::receiver, 2 * kGiB)},
                               .tcp_retransmits = 2};
  return probed;
}

std::vector<record::Participant> modelled(const Pair& pair = {"sendfile", "read_write"}) {
  auto parties = participants(pair, true);
  parties[0].model = record::Model{.kernel = 0, .user = 0, .because = "pages are referenced"};
  parties[1].model = record::Model{.kernel = 2, .user = 0, .because = "recv and write"};
  return parties;
}

using RunList = std::vector<record::Run>;

}  // namespace

TEST_CASE("times come from timed runs, copies and system calls from probed ones") {
  const RunList runs{run(record::Kind::warmup, 9, 9'000),
                     timed(1, 1'000),
                     timed(3, 3'000),
                     timed(2, 2'000),
                     probed(4, 0),
                     probed(4, 0)};
  const record::Summary summary = summarise(runs, modelled(), 1, Stop::budget, {});
  CHECK(summary.stopped == Stop::budget);
  CHECK(summary.goodput_bits_per_second.median == Approx(static_cast<double>(kGiB) * 4));
  CHECK(summary.goodput_bits_per_second.runs == 3);
  CHECK(summary.cpu_seconds_per_gib->processes.median == Approx(1.0));
  CHECK(summary.cpu_seconds_per_gib->machine.median == Approx(1.5));
  CHECK(summary.parties.at(0).mode_switches == 80);
  CHECK(summary.probe_cost->slowdown == Approx(1.0));
  CHECK(summary.verify_share == Approx(0.05));
  CHECK(summary.tcp_retransmits == 2);
  const auto& latency = summary.latency_ns.at("download");
  CHECK(latency.count == 3);
  CHECK(latency.max == 3'000);
}

TEST_CASE("measured copies stand beside the model with their grade, and a difference is shown") {
  const RunList runs{timed(1, 1), probed(1, kGiB / 2)};
  const record::Summary summary = summarise(runs, modelled(), 1, Stop::budget, {});
  const auto& sender = summary.parties.at(0).copies;
  const auto& receiver = summary.parties.at(1).copies;
  CHECK(sender.kernel.measured.value() == Approx(0.5));
  CHECK(sender.kernel.grade == Grade::traced);
  CHECK(receiver.kernel.measured.value() == Approx(2.0));
  CHECK(receiver.user.measured.value() == Approx(1.0));
  CHECK(receiver.user.grade == Grade::counted);
  CHECK(summary.copies.measured.value() == Approx(3.5));
  CHECK(summary.copies.grade == Grade::traced);
  CHECK(summary.copies.modelled == Approx(2.0));
  REQUIRE(summary.disagreements.size() == 2);
  CHECK(summary.disagreements[0].role == Role::sender);
  CHECK(summary.disagreements[0].place == record::Place::kernel);
  CHECK(summary.disagreements[1].role == Role::receiver);
  CHECK(summary.disagreements[1].place == record::Place::user);
}

TEST_CASE("without probed runs only the model is known of the kernel") {
  const record::Summary summary = summarise({timed(1, 1)}, modelled(), 1, Stop::most_runs, {});
  CHECK_FALSE(summary.parties.at(1).copies.kernel.measured);
  CHECK(summary.parties.at(1).copies.kernel.grade == Grade::modelled);
  CHECK_FALSE(summary.copies.measured);
  CHECK_FALSE(summary.parties.at(0).mode_switches);
  CHECK_FALSE(summary.probe_cost);
}

TEST_CASE("copies that code of others makes are modelled, whatever our own counter says") {
  auto parties = modelled();
  parties[0].model->user = 1.0;
  parties[0].model->uncounted = "net_vhost: mbuf -> ring";
  const record::Summary summary = summarise({timed(1, 1), probed(1, 0)}, parties, 1, Stop::most_runs, {});
  const auto& sender = summary.parties.at(0).copies;
  CHECK_FALSE(sender.user.measured);
  CHECK(sender.user.grade == Grade::modelled);
  CHECK(sender.user.modelled == Approx(1.0));
  CHECK(sender.kernel.grade == Grade::traced);
  CHECK(summary.parties.at(1).copies.user.grade == Grade::counted);
  CHECK(summary.copies.grade == Grade::modelled);
}

TEST_CASE("histograms of runs are merged, not their percentiles") {
  const record::Run first = timed(1, 100);
  record::Run second = timed(1, 100);
  Histogram slow;
  slow.record(1'000'003, 99);
  second.latency_ns["download"] = recorded(slow);
  const auto latency = summarise({first, second}, modelled(), 1, Stop::budget, {}).latency_ns.at("download");
  CHECK(latency.count == 100);
  CHECK(static_cast<double>(latency.p50.value()) == Approx(1'000'003).epsilon(0.01));
  CHECK(latency.max == 1'000'003);
}

TEST_CASE("a record holds only percentiles that the samples carry") {
  const auto few = summarise({timed(1, 1), timed(1, 1)}, modelled(), 1, Stop::budget, {}).latency_ns.at("download");
  for (const auto& quantile : {few.p50, few.p90, few.p99, few.p999}) {
    CHECK_FALSE(quantile);
  }
  CHECK(few.max == 1);
  Histogram many;
  many.record(7, 1000);
  CHECK(recorded(many).p99 == 7);
  CHECK_FALSE(recorded(many).p999);
}

record::Run placed(double seconds, std::uint64_t round, double before, double after) {
  record::Run run = timed(seconds, 1);
  run.round = round;
  run.conditions = record::Conditions{.placement_ns = {.before = before, .after = after}};
  return run;
}

/// Two pairs over one link whose runs took these seconds, at these distances.
record::Record record_of(const RunList& first, const RunList& second, PlacementRule rule) {
  Spec spec;
  spec.placement = rule;
  const Pair one{"sendfile", "read_write", "veth"};
  const Pair other{"mmap", "read_write", "veth"};
  spec.pairs = {one, other};
  return build_record(
      spec, {.created = timestamp(), .git = {}, .workload = {.name = "download"}, .environment = {}, .share = "l3"},
      {{.label = one.label(), .link = one.link, .parties = modelled(one), .runs = first},
       {.label = other.label(), .link = other.link, .parties = modelled(other), .runs = second}});
}

TEST_CASE("figures come from one placement, and those of another one stand apart") {
  const RunList near{placed(1, 0, 75, 75), placed(1, 1, 76, 74), placed(1, 2, 75, 75), placed(1, 3, 75, 75)};
  RunList fast = near;
  RunList slow = near;
  for (const std::uint64_t round : {4U, 5U, 6U}) {
    fast.push_back(placed(4, round, 340, 345));
    slow.push_back(placed(8, round, 340, 345));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    slow[i].goodput_bits_per_second /= 2;
  }
  const auto record = record_of(fast, slow, PlacementRule::same);
  CHECK(record.placement->counted == 0U);
  REQUIRE(record.placement->groups.size() == 2);
  CHECK(record.placement->groups[1].runs.at("mmap") == 3);
  const auto& mmap = record.contestants.at(1);
  CHECK(mmap.runs[6].conditions->group == 1U);
  CHECK(mmap.summary->goodput_bits_per_second.runs == 4);
  CHECK(mmap.summary->goodput_bits_per_second.median == Approx(static_cast<double>(kGiB) * 4));
  CHECK(mmap.summary->ratio->to == "sendfile");
  CHECK(mmap.summary->ratio->interval.median == Approx(0.5));
  REQUIRE(mmap.elsewhere.size() == 1);
  CHECK(mmap.elsewhere[0].summary.goodput_bits_per_second.runs == 3);
  const auto any = record_of(fast, slow, PlacementRule::any);
  CHECK_FALSE(any.placement->counted);
  CHECK(any.contestants.at(1).summary->goodput_bits_per_second.runs == 7);
}

TEST_CASE(
    "without a placement that all pairs have all runs count, and so does a run that moved when there is no other") {
  const auto apart = record_of({placed(1, 0, 75, 75)}, {placed(1, 0, 340, 340)}, PlacementRule::same);
  CHECK_FALSE(apart.placement->counted);
  CHECK(apart.contestants.at(0).summary->goodput_bits_per_second.runs == 1);
  record::Run moved = placed(1, 0, 75, 340);
  moved.kind = record::Kind::moved;
  const auto record = record_of({moved}, {placed(1, 0, 75, 75), moved}, PlacementRule::same);
  CHECK_FALSE(record.placement->counted);
  CHECK(record.contestants.at(0).runs[0].kind == record::Kind::timed);
  CHECK(record.contestants.at(1).runs[1].kind == record::Kind::moved);
  CHECK(record.contestants.at(1).summary->goodput_bits_per_second.runs == 1);
}

TEST_CASE("a failed and an unavailable pair say why, and have no summary") {
  Spec spec;
  Entry failed{.label = "sendfile", .problem = Error{Fault::corrupt, "digests differ", "", 0}};
  Entry missing{.label = "dpdk", .unavailable = true, .problem = Error{Fault::missing, "no NIC", "buy", 0}};
  const auto record = build_record(spec, {.created = timestamp()}, {failed, missing});
  CHECK(record.contestants.at(0).status == record::Status::failed);
  CHECK(record.contestants.at(0).reason == "digests differ");
  CHECK_FALSE(record.contestants.at(0).summary);
  CHECK(record.contestants.at(1).status == record::Status::unavailable);
  CHECK(record.contestants.at(1).hint == "buy");
}

TEST_CASE("a timeline adds up to what was verified and stays short") {
  Progress progress;
  progress.start_ns = 1'000;
  progress.bin_ns = 10;
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    progress.add(1'000 + i, 2);
  }
  const auto timeline = timeline_of(progress, 1'000 + 30'000);
  CHECK(timeline.bytes.size() <= 256);
  CHECK(std::accumulate(timeline.bytes.begin(), timeline.bytes.end(), std::uint64_t{0}) == 60'000);
  CHECK(static_cast<double>(timeline.bytes.size()) * timeline.interval_s == Approx(30e-6).epsilon(0.01));
}

TEST_CASE("long messages and errors cross the control socket unchanged") {
  auto ends = Control::make();
  REQUIRE(ends);
  Control other(std::move(ends->second));
  const json sent{{"text", std::string(150'000, 'x')}, {"empty", json::object()}};
  REQUIRE(ends->first.send(sent));
  const auto received = other.receive();
  REQUIRE(received);
  CHECK(*received == sent);
  const Error error{Fault::no_space, "the disk is full", "empty it", ENOSPC};
  const Error back = error_from_json(error_to_json(error));
  CHECK(back.fault == error.fault);
  CHECK(back.text() == error.text());
  CHECK(back.system == ENOSPC);
}

TEST_CASE("what was granted is what held at the end, with what it was before") {
  const auto facts = [](const std::string& packet, const std::string& gso = "yes") {
    return record::Facts{.outgoing = "udp",
                         .incoming = "udp",
                         .carrier = "packet",
                         .modes = {{"packet", "largest", packet}, {"gso", "auto", gso}}};
  };
  const auto before = [](const record::Facts& side, std::size_t mode) { return side.modes.at(mode).before; };
  using Values = std::vector<std::string>;
  CHECK(since(facts("1472"), facts("1472")) == facts("1472"));
  const auto found = since(facts("1200"), facts("1472"));
  CHECK(found.modes.at(0).granted == "1472");
  CHECK(before(found, 0) == Values{"1200"});
  CHECK(before(found, 1).empty());

  auto all = over_runs({}, {found, facts("1472")});
  CHECK(all.at(0) == found);
  all = over_runs(all, {since(facts("1472"), facts("1472", "no")), facts("1472")});
  CHECK(before(all.at(0), 0) == Values{"1200"});
  CHECK(before(all.at(0), 1) == Values{"yes"});
  all = over_runs(all, {since(facts("1400"), facts("1200", "no")), facts("1472")});
  CHECK(before(all.at(0), 0) == Values{"1472", "1400"});
  CHECK(before(all.at(0), 1) == Values{"yes"});
  CHECK(all.at(0).modes.at(0).granted == "1200");
  CHECK(all.at(1) == facts("1472"));
}
