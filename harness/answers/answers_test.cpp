// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "harness/answers/comparison.hpp"
#include "harness/answers/record_set.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/answers/sweep.hpp"
#include "harness/answers/testing/made.hpp"
#include "harness/answers/verdict_text.hpp"
#include "harness/report/figures.hpp"

namespace waggle::answers {
namespace {

using namespace testing;

const std::vector<double> kTwelve{10, 11, 10.5, 10.2, 10.8, 10.1, 10.9, 10.3, 10.7, 10.4, 10.6, 10.5};

std::vector<double> times(double factor) {
  auto values = kTwelve;
  for (double& value : values) {
    value *= factor;
  }
  return values;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("two contestants differ when the interval of their ratio within rounds says so") {
  const auto set = set_of(made({{"mmap", kTwelve}, {"splice", times(1.3)}, {"sendfile", times(1.0)}}));
  const auto all = experiments(set);
  REQUIRE(all.size() == 1);
  CHECK(all.front().id == "r1/veth");
  const auto compared = compare(all.front(), "goodput");
  REQUIRE(compared.size() == 3);
  for (const auto& one : compared) {
    const bool splice = one.a == "splice";
    CHECK(one.differs == splice);
    CHECK(one.ratio.median == Approx(splice ? 1.3 : 1.0));
    CHECK(one.ratio.runs == 12);
    CHECK(has(one.sentence, splice ? "splice moves 1.30 times (1.30–1.30) what" : "no difference is shown"));
  }
  CHECK(is_alone_best(all.front(), compared, "splice"));
  CHECK_FALSE(is_alone_best(all.front(), compared, "mmap"));
}

TEST_CASE("empty polls are a part of the user's CPU time, where a party tells them") {
  auto record = made({{"dpdk", {8, 8}}, {"mmap", {8, 8}}});
  for (auto& run : std::ranges::find(record.contestants, "dpdk", &record::Contestant::label)->runs) {
    run.payload_bytes = std::uint64_t{1} << 30;
    run.parties.at(0).usage.user_s = 1;
    run.parties.at(0).usage.counters["empty_poll_ns"] = 300'000'000;
    run.parties.at(1).usage.user_s = 0.25;
    run.parties.at(1).usage.counters["empty_poll_ns"] = 500'000'000;  // preempted while it polled
  }
  for (const auto& contestant : record.contestants) {
    const auto figures = report::figures_of(record, contestant);
    const auto found = std::ranges::find(figures, "cpu.empty_polls_per_gib", &report::Figure::name);
    REQUIRE((found != figures.end()) == (contestant.label == "dpdk"));
    if (found != figures.end()) {
      CHECK(found->value.median == Approx(0.3 + 0.25));
    }
  }
}

TEST_CASE("rounds that only one of two has are in no ratio, and few rounds make no difference") {
  const auto set = set_of(made({{"mmap", {10, 10}}, {"splice", {20, 20, 500}}}));
  const auto all = experiments(set);
  const auto compared = compare(all.front(), "goodput");
  REQUIRE(compared.size() == 1);
  CHECK(compared.front().ratio.runs == 2);
  CHECK(compared.front().ratio.median == Approx(2));
  CHECK_FALSE(compared.front().differs);
  CHECK(has(compared.front().sentence, "too few rounds"));
  const auto tenfold = set_of(made({{"mmap", {10, 11, 10}}, {"splice", {100, 110, 100}}}));
  const auto few = experiments(tenfold);
  CHECK(compare(few.front(), "goodput").front().sentence ==
        "splice and mmap: too few rounds to tell, 10.0 times (10.0–10.0, 75 %).");
}

TEST_CASE("a table is bold where a difference is one, and says what stands around it") {
  const auto set = set_of(made({{"mmap", kTwelve}, {"splice_x", times(1.3)}}));
  const auto all = experiments(set);
  const auto sheet = sheet_of(all.front());
  REQUIRE(sheet.rows.size() == 2);
  CHECK(sheet.rows[0][0].text == "splice_x");
  CHECK(sheet.rows[0][1].bold);
  CHECK_FALSE(sheet.rows[1][1].bold);
  CHECK(has(sheet.caption, "n = 12 each"));
  const auto text = markdown(sheet);
  CHECK(has(text, "goodput \\[Gbit/s\\]"));
  CHECK(has(text, "| splice\\_x | **13.7 (13.3 – 14.0)** |"));
  const auto tex = latex(sheet);
  CHECK(has(tex, "\\toprule"));
  CHECK(has(tex, "splice\\_x & \\textbf{13.7 (13.3 -- 14.0)}"));
  CHECK(has(tex, "\\giga\\bit\\per\\second"));
  const auto equals = set_of(made({{"mmap", kTwelve}, {"splice", kTwelve}}));
  CHECK_FALSE(has(markdown(sheet_of(experiments(equals).front())), "**1"));
}

TEST_CASE("latencies of a table are those of one operation, and it says of which of several") {
  auto record = made({{"mmap", kTwelve}, {"splice", kTwelve}});
  record.workload.bulk = false;
  const auto timed = [](std::uint64_t count, std::uint64_t median) {
    record::Distribution distribution;
    distribution.count = count;
    distribution.p50 = median;
    return distribution;
  };
  auto& mmap = record.contestants[0].summary->latency_ns;
  auto& splice = record.contestants[1].summary->latency_ns;
  mmap["create"] = timed(600, 1000);
  mmap["rename"] = timed(500, 90'000);
  splice["create"] = timed(400, 2000);
  splice["rename"] = timed(401, 80'000);
  const auto set = set_of(record);
  const auto sheet = sheet_of(experiments(set).front());
  const auto column = std::ranges::find(sheet.columns, "p50 of create", &Sheet::Column::heading);
  REQUIRE(column != sheet.columns.end());
  const auto at = static_cast<std::size_t>(column - sheet.columns.begin());
  CHECK(sheet.rows[0][at].text == "1");
  CHECK(sheet.rows[1][at].text == "2");
  splice.erase("rename");
  record.contestants[0].summary->latency_ns.erase("rename");
  const auto alone = set_of(record);
  CHECK(has(markdown(sheet_of(experiments(alone).front())), " p50 \\["));
}

TEST_CASE("what records call things is text in every table, and in no name of a file") {
  auto record = made({{"[x] --y <b>&amp;|*", kTwelve}});
  const std::string link = "../ve}th%\\<i>";
  record.environment.links[link] = record.environment.links.at("veth");
  record.contestants.front().link = link;
  const auto set = set_of(record);
  const auto all = experiments(set);
  REQUIRE(all.size() == 1);
  const auto sheet = sheet_of(all.front());
  CHECK(sheet.id == "r1-..-ve-th---i-");
  const auto text = markdown(sheet);
  CHECK(has(text, "| \\[x\\] --y \\<b\\>\\&amp;\\|\\* |"));
  CHECK_FALSE(has(text, "<i>"));
  const auto tex = latex(sheet);
  CHECK(has(tex, "\\label{tab:r1-..-ve-th---i-}"));
  CHECK(has(tex, " {[}x] -{-}y \\textless{}b\\textgreater{}\\&amp;\\textbar{}{*} & "));
  CHECK(for_markdown("a\nb") == "a b");
}

TEST_CASE("CSV has every figure with all digits, and no text that a spreadsheet would compute") {
  const auto set = set_of(made({{"=cmd,\"x\"", {10, 11, 12}}}));
  const auto all = experiments(set);
  const auto figures = figures_csv(all);
  CHECK(has(figures, "\"'=cmd,\"\"x\"\"\",goodput,,,,11000000000,10000000000,12000000000,"));
  const auto runs = runs_csv(all);
  CHECK(std::ranges::count(runs, '\n') == 4);
  CHECK(has(runs, ",timed,ok,yes,"));
}

TEST_CASE("experiments of a suite that differ in one setting are a sweep, newest first") {
  RecordSet set;
  int day = 1;
  for (const auto& [size, factor] :
       {std::pair("64KiB", 1.0), std::pair("1MiB", 2.0), std::pair("1MiB", 3.0), std::pair("64MiB", 4.0)}) {
    set.sources.push_back(
        {.id = "r" + std::to_string(day), .file = {}, .record = at_size(size, {{"mmap", times(factor)}}, day)});
    ++day;
  }
  const auto all = experiments(set);
  const auto swept = sweeps(all);
  REQUIRE(swept.size() == 1);
  const auto& sweep = swept.front();
  CHECK(sweep.id == "bulk/size/veth");
  CHECK(sweep.x == "size");
  CHECK(sweep.unit == "B");
  CHECK(sweep.log);
  REQUIRE(sweep.points.size() == 3);
  CHECK(sweep.points[0].x == 65536);
  CHECK(sweep.points[1].experiment->id == "r3/veth");
  CHECK(sweep.warnings.empty());
  set.sources[0].record.git.revision = "another";
  const auto mixed = experiments(set);
  CHECK(sweeps(mixed).front().warnings.size() == 1);
  set.sources[3].record.spec.sink = "tmpfs";
  set.sources[3].record.spec.seed = 7;
  const auto unlike = sweeps(experiments(set)).front().warnings;
  REQUIRE(unlike.size() == 2);
  CHECK(unlike[1] == "Its points were measured with another sink as well.");
}

TEST_CASE("the unit of a sweep is that of any of its points, and no word is a number") {
  RecordSet set;
  for (const char* size : {"4KiB", "1KiB", "0"}) {
    const auto number = std::to_string(set.sources.size() + 1);
    set.sources.push_back({.id = "r" + number, .file = {}, .record = at_size(size, {{"mmap", kTwelve}})});
  }
  const auto all = experiments(set);
  REQUIRE(sweeps(all).size() == 1);
  CHECK(sweeps(all).front().unit == "B");
  CHECK_FALSE(sweeps(all).front().log);
  CHECK_FALSE(quantity_of("nan"));
  CHECK_FALSE(quantity_of("inf"));
}

TEST_CASE("settings are numbers with units, or words") {
  CHECK(quantity_of("64KiB")->value == 65536);
  CHECK(quantity_of("64KiB")->unit == "B");
  CHECK(quantity_of("16")->unit.empty());
  CHECK(quantity_of("0.5%")->value == 0.5);
  CHECK(quantity_of("0.5%")->unit == "%");
  CHECK(quantity_of("200ms")->unit == "s");
  CHECK_FALSE(quantity_of("cold"));
  CHECK_FALSE(quantity_of(""));
}

TEST_CASE("a verdict names the experiment that the page has, of a contestant that no link runs as well") {
  auto record = made({{"dpdk", kTwelve}, {"mmap", kTwelve}});
  record.contestants[0].link.clear();
  record.contestants[0].status = record::Status::unavailable;
  const auto set = set_of(record);
  verdict::Verdict one;
  one.rules.resize(2);
  one.rules[0].of = verdict::Evidence{.record = 0, .contestant = 0};
  one.rules[1].of = verdict::Evidence{.record = 0, .contestant = 1};
  const auto rules = verdicts_json(set, {one}).at(0).at("rules");
  CHECK(rules.at(0).at("experiment") == "r1/veth");
  CHECK(rules.at(1).at("experiment") == "r1/veth");
  CHECK(experiments(set).front().absent.front()->label == "dpdk");
}

}  // namespace
}  // namespace waggle::answers
