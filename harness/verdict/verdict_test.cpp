// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/verdict.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "harness/verdict/testing/brief.hpp"

namespace waggle::verdict {
namespace {

using testing::around;
using testing::contestant;
using testing::record_at;
using testing::rule;
using testing::without;

struct Asked : testing::Given {
  explicit Asked(std::vector<record::Record> all) : Given(std::move(all)) {}
  RuleResult one(const Rule& asked) const {
    auto results = results_of(asked, list);
    REQUIRE(results.size() == 1);
    return std::move(results.front());
  }
};

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Claims claims_of(Claim claim) {
  Claims claims;
  claims.claims = {std::move(claim)};
  return claims;
}

TEST_CASE("a figure against a value holds, does not, or is not shown") {
  const Asked given({record_at({}, {contestant({.label = "sendfile", .goodput = around(10e9, 1e9)})})});
  const auto good = given.one(rule(Is::more_than, 8e9));
  CHECK(good.outcome == Outcome::holds);
  CHECK(good.value == 10e9);
  CHECK(good.low == 9e9);
  CHECK(good.unit == "bit/s");
  CHECK(good.ours == "10 Gbit/s (9 Gbit/s – 11 Gbit/s)");
  CHECK(good.of == Evidence{.record = 0, .contestant = 0});
  CHECK(says(good.why, "r0.json"));
  CHECK(given.one(rule(Is::more_than, 12e9)).outcome == Outcome::does_not_hold);
  const auto open = given.one(rule(Is::more_than, 9.5e9));
  CHECK(open.outcome == Outcome::not_shown);
  CHECK(says(open.why, "about 24 runs more would decide"));
}

TEST_CASE("a noisy machine is named before more runs are asked for") {
  auto record = record_at({}, {contestant({.label = "sendfile", .goodput = around(10e9, 1e9)})});
  record.environment.noisy = true;
  const auto open = Asked({record}).one(rule(Is::more_than, 9.5e9));
  CHECK(says(open.why, "a quieter machine would decide, or about 24 runs more"));
  const auto alike = Asked({record}).one(rule(Is::more_than, 10e9));
  CHECK(says(alike.why, "no number of runs"));
}

TEST_CASE("too few runs decide nothing, and it says how many would") {
  const Asked given({record_at({}, {contestant({.label = "sendfile", .goodput = {10e9, 11e9, 12e9}})})});
  const auto few = given.one(rule(Is::more_than, 1e9));
  CHECK(few.outcome == Outcome::not_shown);
  CHECK(says(few.why, "3 runs cover 75 %; 3 more would cover 95 %"));
}

TEST_CASE("two of one record are compared within rounds, where a drift that both feel cancels") {
  // Both double from the first to the last round; their intervals overlap, their ratios do not.
  std::vector<double> slow;
  std::vector<double> fast;
  for (int round = 0; round < 8; ++round) {
    slow.push_back(1e9 * (1 + round / 7.0));
    fast.push_back(slow.back() * (round % 2 == 0 ? 1.3 : 1.32));
  }
  const auto ours = contestant({.label = "sendfile", .goodput = fast});
  const auto other = contestant({.label = "mmap", .goodput = slow});
  const auto paired = Asked({record_at({}, {ours, other})}).one(rule(Is::more_than, "mmap"));
  CHECK(paired.outcome == Outcome::holds);
  CHECK(paired.paired);
  CHECK(paired.value == Approx(1.31));
  CHECK(paired.low == Approx(1.3));
  CHECK(says(paired.why, "paired within rounds"));
  const auto unpaired = Asked({record_at({}, {ours}), record_at({}, {other})}).one(rule(Is::more_than, "mmap"));
  CHECK(unpaired.outcome == Outcome::not_shown);
  CHECK_FALSE(unpaired.paired);
}

TEST_CASE("a ratio that touches its bound is not above it") {
  std::vector<double> base(8, 1e9);
  auto ours = base;
  ours.back() = 1.5e9;  // all others are the same
  const Asked given({record_at(
      {}, {contestant({.label = "sendfile", .goodput = ours}), contestant({.label = "mmap", .goodput = base})})});
  CHECK(given.one(rule(Is::at_least, "mmap")).outcome == Outcome::holds);
  CHECK(given.one(rule(Is::more_than, "mmap")).outcome == Outcome::not_shown);
  CHECK(given.one(rule(Is::at_most, "mmap", 2)).outcome == Outcome::holds);
  CHECK(given.one(rule(Is::less_than, "mmap")).outcome == Outcome::does_not_hold);
}

TEST_CASE("points are compared by their intervals, and only between CPUs of one distance") {
  const auto at = [](const char* size, double middle, double distance) {
    auto record = record_at({{"size", size}}, {contestant({.label = "sendfile", .goodput = around(middle, 1e8)})});
    record.placement.emplace().cpus = {{.host = "server", .cpu = 0}, {.host = "client", .cpu = 1}};
    record.placement->groups = {{.lowest_ns = distance, .median_ns = distance, .highest_ns = distance, .runs = {}}};
    return record;
  };
  auto asked = rule(Is::more_than, std::nullopt);
  asked.at = {{"size", "1GiB"}};
  asked.than_at = {{"size", "64KiB"}};
  asked.times = 1.5;
  const auto good = Asked({at("64KiB", 1e9, 75), at("1GiB", 2e9, 80)}).one(asked);
  CHECK(good.outcome == Outcome::holds);
  CHECK(good.value == Approx(2));
  CHECK(good.low == Approx(1.9 / 1.1));
  CHECK(says(good.why, "unpaired"));
  CHECK(says(good.why, "r0.json"));
  CHECK(says(good.rule, "goodput of sendfile at size=1GiB over veth more than 1.5 times that at size=64KiB"));
  const auto moved = Asked({at("64KiB", 1e9, 75), at("1GiB", 2e9, 340)}).one(asked);
  CHECK(moved.outcome == Outcome::not_shown);
  CHECK(says(moved.why, "340 ns"));
  auto mixed = at("1GiB", 2e9, 80);
  mixed.placement->groups.push_back({.lowest_ns = 340, .median_ns = 340, .highest_ns = 340, .runs = {}});
  CHECK(Asked({at("64KiB", 1e9, 75), mixed}).one(asked).outcome == Outcome::not_shown);
  mixed.placement->counted = 0;
  mixed.contestants.front().runs.clear();
  CHECK(Asked({at("64KiB", 1e9, 75), mixed}).one(asked).outcome == Outcome::holds);
}

TEST_CASE("records that differ in more than what the rule names are not compared") {
  const auto at = [](const char* size, double middle) {
    auto record = record_at({{"size", size}}, {contestant({.label = "sendfile", .goodput = around(middle, 1e8)})});
    record.spec.parameters.others.members["size"] = size;
    auto& host = record.environment.hosts.emplace_back();
    host.kernel = "6.1";
    host.others.members["cpu"] = {{"model", "EPYC"}, {"online", 2}};
    return record;
  };
  auto asked = rule(Is::more_than, std::nullopt);
  asked.at = {{"size", "1GiB"}};
  asked.than_at = {{"size", "64KiB"}};
  const auto small = at("64KiB", 1e9);
  const auto outcome = [&](const auto& change, const char* why) {
    auto large = at("1GiB", 2e9);
    change(large);
    const auto result = Asked({small, large}).one(asked);
    CHECK(says(result.why, why));
    return result.outcome;
  };
  CHECK(outcome([](record::Record&) {}, "unpaired") == Outcome::holds);
  CHECK(outcome([](record::Record& one) { one.spec.seed = 7; }, "unpaired") == Outcome::holds);
  const auto sink = [](record::Record& one) { one.spec.sink = "discard"; };
  CHECK(outcome(sink, "with another sink; `harness suite bulk`") == Outcome::not_shown);
  CHECK(outcome([](record::Record& one) { one.spec.parameters.clients = 4; }, "clients") == Outcome::not_shown);
  const auto setting = [](record::Record& one) { one.spec.channel.others.members["settings"] = {{"udp.queues", "2"}}; };
  CHECK(outcome(setting, "udp.queues") == Outcome::not_shown);
  const auto steering = [](record::Record& one) { one.spec.channel.others.members["settings"] = {{"a\n\x1b", "2"}}; };
  CHECK(outcome(steering, "a\\u000a\\u001b") == Outcome::not_shown);
  CHECK(outcome([](record::Record& one) { one.git.revision = "0"; }, "different builds") == Outcome::not_shown);
  const auto machine = [](record::Record& one) {
    one.environment.hosts.front().others.members["cpu"]["model"] = "Xeon";
  };
  CHECK(outcome(machine, "different CPUs") == Outcome::not_shown);
  asked.figure = "mode_switches";
  asked.is = Is::at_most;
  CHECK(outcome(machine, "r0.json") == Outcome::holds);  // what was counted is not a matter of CPUs
  CHECK(outcome(sink, "sink") == Outcome::not_shown);
}

TEST_CASE("two experiments differ in what their suite says") {
  auto base = record_at({}, {contestant({.label = "sendfile", .goodput = around(1e9, 1e8)})});
  base.suite->experiment = "base";
  auto ours = record_at({}, {contestant({.label = "sendfile", .goodput = around(2e9, 1e8)})});
  ours.spec.mtu = 9000;
  auto asked = rule(Is::more_than, std::nullopt);
  asked.than_experiment = "base";
  CHECK(Asked({base, ours}).one(asked).outcome == Outcome::holds);
}

TEST_CASE("a rule without a point is asked at every one, and must hold at all") {
  const Asked given({record_at({{"size", "1GiB"}}, {contestant({.label = "sendfile", .goodput = around(9e9, 1e8)})}),
                     record_at({{"size", "64KiB"}}, {contestant({.label = "sendfile", .goodput = around(1e9, 1e8)})})});
  const auto results = results_of(rule(Is::more_than, 5e9), given.list);
  REQUIRE(results.size() == 2);
  CHECK(results[0].outcome == Outcome::holds);
  CHECK(results[1].outcome == Outcome::does_not_hold);
  const auto verdict = verdicts(claims_of({.id = "Z2"}), {rule(Is::more_than, 5e9)}, given.list).front();
  CHECK(verdict.outcome == Outcome::does_not_hold);
  CHECK(says(verdict.why, "1 of 2 rules hold. "));
}

TEST_CASE("counts decide without an interval, and models do not decide") {
  auto asked = rule(Is::about, 1.0);
  asked.figure = "copies";
  asked.party = record::Role::sender;
  auto one = contestant({.label = "sendfile", .goodput = {1, 2, 3}, .copies = 1.0001});
  const auto counted = Asked({record_at({}, {one})}).one(asked);
  CHECK(counted.outcome == Outcome::holds);
  CHECK(counted.ours == "1.00 copies/B, traced");
  one.summary->parties.front().copies.kernel.measured.reset();
  one.probe_problem = "no BPF here";
  const auto modelled = Asked({record_at({}, {one})}).one(asked);
  CHECK(modelled.outcome == Outcome::not_shown);
  CHECK(says(modelled.why, "no BPF here"));
  CHECK(says(modelled.why, "only modelled"));
}

TEST_CASE("what differs from run to run decides by its interval, also where it is counted") {
  const auto with_memory = [](const char* label, double bytes) {
    auto one = contestant({.label = label, .goodput = around(10e9, 1e9)});
    for (auto& run : one.runs) {
      run.parties.front().usage.peak_memory_bytes = static_cast<std::uint64_t>(bytes) + 1000 * (run.order % 4);
    }
    one.summary->parties.front().peak_memory_bytes = bytes + 3000;
    return one;
  };
  auto asked = rule(Is::more_than, "mmap");
  asked.figure = "memory";
  asked.party = record::Role::sender;
  const auto outcome = [&](double other) {
    return Asked({record_at({}, {with_memory("sendfile", 14e6), with_memory("mmap", other)})}).one(asked);
  };
  const auto alike = outcome(14e6 - 500);
  CHECK(alike.outcome == Outcome::not_shown);
  CHECK_FALSE(alike.paired);
  CHECK(outcome(13e6).outcome == Outcome::holds);
  CHECK(says(outcome(13e6).why, "times the memory"));
  CHECK(outcome(15e6).outcome == Outcome::does_not_hold);
  asked.figure = "context_switches_per_mib";
  const auto none = outcome(13e6);
  CHECK(none.outcome == Outcome::not_shown);
  CHECK(says(none.why, "may be 0"));
}

TEST_CASE("counts are compared as they are, also where one of them is 0") {
  auto asked = rule(Is::less_than, "read_write");
  asked.figure = "copies";
  asked.party = record::Role::sender;
  const auto none = contestant({.label = "sendfile", .goodput = {1, 2, 3}, .copies = 0});
  const auto two = contestant({.label = "read_write", .goodput = {1, 2, 3}, .copies = 2});
  const auto less = Asked({record_at({}, {none, two})}).one(asked);
  CHECK(less.outcome == Outcome::holds);
  CHECK(less.ours == "0 times (0.00 copies/B against 2.00 copies/B)");
  asked.of = "read_write";
  asked.than = "sendfile";
  const auto more = Asked({record_at({}, {none, two})}).one(asked);
  CHECK(more.outcome == Outcome::does_not_hold);
  CHECK_FALSE(more.value);
  asked.figure = "mode_switches";
  asked.is = Is::at_most;
  CHECK(Asked({record_at({}, {none, two})}).one(asked).outcome == Outcome::holds);
}

TEST_CASE("counts decide only where every probed run is on the same side") {
  const auto with_copies = [](const char* label, double low, double high) {
    auto one = contestant({.label = label, .goodput = {1, 2, 3}, .copies = (low + high) / 2});
    const auto probed = one.runs.back();
    one.runs.pop_back();
    for (const double copies : {low, high}) {
      auto run = probed;
      const auto bytes = static_cast<std::uint64_t>(copies * static_cast<double>(run.payload_bytes));
      run.trace->parties = {{.role = record::Role::sender, .kernel_copied_bytes = bytes}};
      one.runs.push_back(run);
    }
    return one;
  };
  auto asked = rule(Is::at_most, 1.0);
  asked.figure = "copies";
  asked.party = record::Role::sender;
  const auto outcome = [&](double low, double high) {
    return Asked({record_at({}, {with_copies("sendfile", low, high)})}).one(asked);
  };
  CHECK(outcome(0.8, 0.9).outcome == Outcome::holds);
  CHECK(outcome(1.1, 1.2).outcome == Outcome::does_not_hold);
  const auto open = outcome(0.5, 1.25);
  CHECK(open.outcome == Outcome::not_shown);
  CHECK(says(open.why, "from 0.50 copies/B to 1.25 copies/B"));

  auto against = rule(Is::less_than, "mmap");
  against.figure = "copies";
  against.party = record::Role::sender;
  const auto compared = [&](double low, double high) {
    return Asked({record_at({}, {with_copies("sendfile", 1, 1), with_copies("mmap", low, high)})}).one(against);
  };
  CHECK(compared(1.5, 2).outcome == Outcome::holds);
  const auto between = compared(0.5, 2);
  CHECK(between.outcome == Outcome::not_shown);
  CHECK(says(between.why, "against 0.50 copies/B to 2.00 copies/B"));
}

TEST_CASE("what cannot run says what is missing, and where it can be asked") {
  const Asked given({record_at({}, {without("sendfile", record::Status::unavailable, "no NIC", "add one")})});
  const auto verdict =
      verdicts(claims_of({.id = "Z2", .where = "on two hosts"}), {rule(Is::more_than, 1.0)}, given.list).front();
  CHECK(verdict.outcome == Outcome::cannot_run);
  CHECK(verdict.why == "sendfile is fast: sendfile: no NIC; add one. It can be asked on two hosts.");
}

TEST_CASE("what failed counts for nothing, and what was not measured is not shown") {
  const Asked failed({record_at({}, {without("sendfile", record::Status::failed, "digests differ")})});
  const auto bad = failed.one(rule(Is::more_than, 1.0));
  CHECK(bad.outcome == Outcome::not_shown);
  CHECK(says(bad.why, "digests differ"));
  const auto none = Asked({}).one(rule(Is::more_than, 1.0));
  CHECK(none.outcome == Outcome::not_shown);
  CHECK(says(none.why, "`harness suite bulk` would make one"));
  const Asked lonely({record_at({}, {contestant({.label = "sendfile", .goodput = around(1, 0.1)})})});
  CHECK(says(lonely.one(rule(Is::more_than, "mmap")).why, "no record tells of mmap"));
}

TEST_CASE("a figure that the record lacks is told") {
  const Asked given({record_at({}, {contestant({.label = "sendfile", .goodput = around(1, 0.1)})})});
  auto asked = rule(Is::more_than, 1.0);
  asked.figure = "counter";
  asked.counter = "naps";
  CHECK(says(given.one(asked).why, "has no naps"));
}

TEST_CASE("all rules must hold, and what refutes one refutes the claim") {
  const Asked given({record_at({}, {contestant({.label = "sendfile", .goodput = around(10e9, 1e9)}),
                                    without("dpdk", record::Status::unavailable, "no hugepages")})});
  const auto good = rule(Is::more_than, 8e9);
  const auto bad = rule(Is::more_than, 12e9);
  const auto open = rule(Is::more_than, 9.5e9);
  auto missing = rule(Is::more_than, 1.0);
  missing.of = "dpdk";
  const auto ends = [&](const std::vector<Rule>& rules) {
    return verdicts(claims_of({.id = "Z2"}), rules, given.list).front().outcome;
  };
  CHECK(ends({good, good}) == Outcome::holds);
  CHECK(ends({good, open}) == Outcome::not_shown);
  CHECK(ends({good, open, missing}) == Outcome::cannot_run);
  CHECK(ends({missing, good, bad, open}) == Outcome::does_not_hold);
  CHECK(ends({}) == Outcome::not_shown);
}

TEST_CASE("a part that no rule asks for keeps a claim from holding") {
  const Asked given({record_at({}, {contestant({.label = "sendfile", .goodput = around(10e9, 1e9)})})});
  const auto part = claims_of({.id = "Z2", .open = "interrupts"});
  const auto verdict = verdicts(part, {rule(Is::more_than, 8e9)}, given.list).front();
  CHECK(verdict.outcome == Outcome::not_shown);
  CHECK(verdict.why == "sendfile is fast. Open: interrupts.");
  CHECK(verdicts(part, {rule(Is::more_than, 12e9)}, given.list).front().outcome == Outcome::does_not_hold);
}

TEST_CASE("what waits says for what, and what is answered how") {
  const auto waiting = verdicts(claims_of({.id = "X5", .waits = "sockmap", .nearest = "rr"}), {}, {}).front();
  CHECK(waiting.outcome == Outcome::waits);
  CHECK(waiting.why == "Waits for sockmap. Nearest: rr.");
  const auto answered =
      verdicts(claims_of({.id = "D4", .answer = "So it is.", .answered = Outcome::holds}), {}, {}).front();
  CHECK(answered.outcome == Outcome::holds);
  CHECK(answered.why == "So it is.");
}

TEST_CASE("the order of the records makes no difference") {
  std::vector<record::Record> records;
  for (const char* day : {"21", "22", "23"}) {
    const auto created = std::string("2026-11-") + day + "T10:00:00Z";
    const double middle = (day[1] - '0') * 1e9;
    records.push_back(record_at({{"size", "1MiB"}},
                                {contestant({.label = "sendfile", .goodput = around(3 * middle, 1e8)}),
                                 contestant({.label = "mmap", .goodput = around(middle, 1e8)})},
                                created));
    records.push_back(
        record_at({{"size", "1GiB"}}, {contestant({.label = "sendfile", .goodput = around(middle, 1e8)})}, created));
  }
  Asked given(records);
  const auto claims = claims_of({.id = "Z2"});
  const std::vector<Rule> rules{rule(Is::more_than, 1e9), rule(Is::more_than, "mmap", 2)};
  const auto before = verdicts(claims, rules, given.list).front();
  for (int turn = 0; turn < 5; ++turn) {
    std::ranges::rotate(given.list, given.list.begin() + 1);
    const auto after = verdicts(claims, rules, given.list).front();
    CHECK(after.outcome == before.outcome);
    CHECK(after.why == before.why);
    CHECK(after.ours == before.ours);
  }
}

}  // namespace
}  // namespace waggle::verdict
