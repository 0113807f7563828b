// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/advice.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "harness/answers/testing/made.hpp"

using namespace waggle;
using namespace waggle::answers;
using namespace waggle::answers::testing;

namespace {

const std::vector<double> kRounds{10, 11, 10.5, 10.2, 10.8, 10.1, 10.9, 10.3, 10.7, 10.4, 10.6, 10.5};

std::vector<double> rounds_of(double factor) {
  auto values = kRounds;
  for (double& value : values) {
    value *= factor;
  }
  return values;
}

const Here kHere{.host = host_of("Xeon"), .build = {}, .now = "2026-01-03T00:00:00Z", .networks = {"nic"}};

Demand needs_nothing(const record::Record&, const record::Contestant&) {
  return {};
}

/// splice wants two things, all others nothing.
Demand splice_needs(const record::Record&, const record::Contestant& contestant) {
  return contestant.label == "splice" ? Demand{.needs = {{"root", "root"}, {"core", "a core that polls"}}} : Demand{};
}

/// An advice, with what it is made of.
struct Advised {
  explicit Advised(record::Record record, Goal goal = Goal::goodput, const DemandOf& demand_of = needs_nothing)
      : set(set_of(made_on(host_of("Xeon"), std::move(record)))),
        all(experiments(set)),
        advice(advise({.experiment = &all.front(), .differences = {}, .others = {}, .why_none = {}, .aside = {}}, kHere,
                      goal, demand_of)) {}
  const Advice* operator->() const { return &*advice; }
  RecordSet set;
  std::vector<Experiment> all;
  Result<Advice> advice;
};

record::Contestant& contestant(record::Record& record, const std::string& label) {
  return *std::ranges::find(record.contestants, label, &record::Contestant::label);
}

/// Every run has answered `count` times, half of them within p50.
void add_latency(record::Record& record, const std::string& label, std::uint64_t p50, std::uint64_t count,
                 std::uint64_t p99) {
  auto& one = contestant(record, label);
  const auto answers = [&](std::uint64_t n) {
    record::Distribution latency;
    latency.count = n;
    latency.mean = static_cast<double>(p50);
    latency.p50 = p50;
    latency.p99 = p99;
    latency.max = p99;
    return latency;
  };
  for (auto& run : one.runs) {
    run.latency_ns["rr"] = answers(count);
  }
  one.summary->latency_ns["rr"] = answers(count * one.runs.size());
}

bool says(const std::vector<std::string>& lines, std::string_view part) {
  return std::ranges::any_of(lines, [&](const auto& line) { return line.find(part) != std::string::npos; });
}

bool says(const std::string& text, std::string_view part) {
  return says(std::vector{text}, part);
}

}  // namespace

TEST_CASE("the best is taken, with how much it has over the next and what that costs") {
  const Advised advised(made({{"mmap", kRounds}, {"splice", rounds_of(1.3)}, {"sendfile", rounds_of(2.6)}}));
  REQUIRE(advised.advice);
  CHECK(advised->take == "sendfile");
  CHECK(says(advised->answer, "Take sendfile, 27.3 Gbit/s, at "));
  CHECK(says(advised->answer, " s of CPU per GiB: 2.00 times (2.00–2.00) the goodput of splice, the next."));
  REQUIRE(advised->candidates.size() == 3);
  CHECK(advised->candidates[1].label == "splice");
  CHECK(advised->candidates[1].ratio->median == Approx(0.5));
  CHECK_FALSE(advised->candidates[1].alike);
  CHECK(advised->sureness == Sureness::high);
  CHECK(says(advised->because, "12 runs of each"));
  CHECK(says(advised->because, "over a network card the order may be another"));
  CHECK(says(advised->because, "2 days ago"));
  CHECK(advised->against.empty());
}

TEST_CASE("of those that cannot be told apart the one that needs less is taken") {
  const Advised advised(made({{"mmap", kRounds}, {"sendfile", rounds_of(2)}, {"splice", rounds_of(2)}}), Goal::goodput,
                        splice_needs);
  REQUIRE(advised.advice);
  CHECK(advised->take == "sendfile");
  CHECK(says(advised->answer, "splice cannot be told apart from it, and it needs less; 2.00 times"));
  const auto splice = std::ranges::find(advised->candidates, "splice", &Candidate::label);
  CHECK(splice->alike);
  CHECK(splice->needs.size() == 2);
}

TEST_CASE("who is worse than another one that may be best is not taken, however little it needs") {
  // mmap is ahead, and so noisy that it can be told from nobody; sendfile is behind splice in every round.
  const Advised advised(
      made({{"mmap", {5, 30, 6, 31, 5, 30, 6, 31, 5, 30, 6, 31}}, {"splice", rounds_of(1.2)}, {"sendfile", kRounds}}),
      Goal::goodput, splice_needs);
  REQUIRE(advised.advice);
  REQUIRE(advised->candidates.size() == 3);
  CHECK(advised->candidates[0].label == "mmap");
  CHECK(advised->candidates[1].alike);
  CHECK_FALSE(advised->candidates[2].alike);
  CHECK(advised->take == "mmap");
  CHECK(says(advised->answer, ": splice cannot be told apart from it, and it needs less."));
}

TEST_CASE("with equal needs the one that costs less is taken, and without any difference a lead is said to be none") {
  auto record = made({{"sendfile", kRounds}, {"splice", kRounds}});
  CHECK(says(Advised(record)->answer, "splice cannot be told apart from it, and it was ahead by no more than chance."));
  for (auto& run : contestant(record, "splice").runs) {
    for (auto& party : run.parties) {
      party.usage.system_s /= 2;
    }
  }
  const Advised cheaper(record);
  CHECK(cheaper->take == "splice");
  CHECK(says(cheaper->answer, "sendfile cannot be told apart from it, and it takes less CPU time."));
}

TEST_CASE("too few runs show nothing, and it is said first") {
  const Advised advised(made({{"mmap", {10, 10}}, {"splice", {20, 20}}}));
  REQUIRE(advised.advice);
  CHECK(advised->sureness == Sureness::low);
  CHECK(says(advised->answer, "for now"));
  CHECK(says(advised->answer, "too few runs to tell anybody apart"));
  CHECK(says(advised->because, "2 runs of each, and 6 are needed to tell 2 apart"));
}

TEST_CASE("CPU time is that of the whole machine where that is recorded, and less is better") {
  auto record = made({{"mmap", kRounds}, {"splice", rounds_of(2)}});
  const Advised processes(record, Goal::cpu);
  REQUIRE(processes.advice);
  CHECK(processes->figure == "cpu.per_gib");
  CHECK(processes->take == "splice");
  for (auto& one : record.contestants) {
    for (auto& run : one.runs) {
      run.machine.busy_s = one.label == "splice" ? 3 : 1;
    }
  }
  const Advised machine(record, Goal::cpu);
  CHECK(machine->figure == "cpu.machine_per_gib");
  CHECK(machine->take == "mmap");
  CHECK(says(machine->answer, "the CPU time per GiB of splice"));
  CHECK(says(machine->against, "0.50 times (0.50–0.50) the goodput of splice"));
  CHECK(says(Advised(record)->against, "3.00 times (3.00–3.00) the CPU time per GiB of mmap"));
}

TEST_CASE("latencies are compared by the medians of runs, and p99 speaks against who has late answers") {
  auto record = made({{"mmap", kRounds}, {"splice", kRounds}});
  record.workload.bulk = false;
  add_latency(record, "mmap", 40'000, 2000, 900'000);
  add_latency(record, "splice", 80'000, 2000, 100'000);
  const Advised advised(record, Goal::latency);
  REQUIRE(advised.advice);
  CHECK(advised->figure == "latency.p50");
  CHECK(advised->operation == "rr");
  CHECK(advised->take == "mmap");
  CHECK(says(advised->answer, "Take mmap, 40 µs median latency"));
  CHECK(says(advised->answer, "0.50 times (0.50–0.50) the median latency of splice"));
  CHECK(advised->candidates.front().p99 == 900'000.0);
  CHECK(says(advised->against, "9.00 times (9.00–9.00) the p99 latency of splice"));
}

TEST_CASE("runs of a single operation are compared by their mean; without latencies there is one line") {
  auto record = made({{"mmap", kRounds}, {"splice", kRounds}});
  const Advised none(record, Goal::latency);
  REQUIRE_FALSE(none.advice);
  CHECK(none.advice.error().fault == Fault::usage);
  CHECK(says(none.advice.error().text(), "no latency of download was recorded; choose --goal=goodput"));
  add_latency(record, "mmap", 40'000, 1, 0);
  add_latency(record, "splice", 80'000, 1, 0);
  const Advised advised(record, Goal::latency);
  REQUIRE(advised.advice);
  CHECK(advised->figure == "latency.mean");
  CHECK(advised->take == "mmap");
  CHECK_FALSE(advised->candidates.front().p99);
  record.workload.idle = true;
  CHECK(says(Advised(record, Goal::goodput).advice.error().text(), "choose --goal=cpu"));
  CHECK(usual_goal(record.workload) == Goal::cpu);
}

TEST_CASE("what shows something is not advised, and who was not measured is named with the reason") {
  auto record = made({{"mmap", kRounds}, {"simulated", rounds_of(3)}, {"splice", rounds_of(2)}});
  auto& absent = record.contestants.emplace_back();
  absent.label = "dpdk";
  absent.status = record::Status::unavailable;
  absent.reason = "no hugepages";
  absent.hint = "reserve some";
  const Advised advised(record, Goal::goodput, [](const record::Record&, const record::Contestant& one) {
    return Demand{.needs = {},
                  .missing = one.label == "splice" ? "it is switched off; switch it on" : "",
                  .demonstrates = one.label == "simulated"};
  });
  REQUIRE(advised.advice);
  CHECK(advised->take == "splice");
  CHECK(says(advised->against, "it cannot run here now: it is switched off; switch it on"));
  REQUIRE(advised->absent.size() == 2);
  CHECK(advised->absent[0].label == "simulated");
  CHECK(advised->absent[1].label == "dpdk");
  CHECK(advised->absent[1].hint == "reserve some");
}

TEST_CASE("noise, age, another build and what differs from the question make it less sure") {
  auto record = made({{"mmap", kRounds}, {"splice", rounds_of(2)}});
  record.environment.noise = {"others wanted the CPUs"};
  record.git.revision = "0123456789abcdef";
  record.created = "2025-11-01T00:00:00Z";
  const auto set = set_of(made_on(host_of("Xeon"), record));
  const auto all = experiments(set);
  const auto advice = advise({.experiment = &all.front(),
                              .differences = {{.option = "size", .asked = "1GiB", .recorded = "1MiB", .said = true}},
                              .others = {},
                              .why_none = {},
                              .aside = {}},
                             kHere, Goal::goodput, needs_nothing);
  REQUIRE(advice);
  CHECK(advice->sureness == Sureness::medium);
  CHECK(says(advice->because, "Noisy machine: others wanted the CPUs"));
  CHECK(says(advice->because, "another build: 0123456789ab"));
  CHECK(says(advice->because, "63 days ago"));
  CHECK(says(advice->because, "--size=1GiB is asked, 1MiB was measured"));
}

TEST_CASE("the first line is the answer, and programs get the same") {
  const Advised advised(made({{"mmap", kRounds}, {"splice", rounds_of(2)}}), Goal::goodput, splice_needs);
  const auto text = advice_text(*advised.advice, {});
  CHECK(text.starts_with(advised->answer + "\n"));
  for (const char* part : {"download over veth", "splice needs\n", "a core that polls", "How sure: high"}) {
    CHECK(says(text, part));
  }
  const auto json = advice_json(*advised.advice);
  CHECK(json.at("take") == "splice");
  CHECK(json.at("candidates").size() == 2);
  CHECK(json.at("candidates")[1].at("ratio").at("median").get<double>() == Approx(0.5));
  CHECK(json.at("sure").at("level") == "high");
  CHECK(json.at("record").at("file") == "made.json");
}
