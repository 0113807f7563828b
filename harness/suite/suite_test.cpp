// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/suite.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>

#include "base/testing/folder.hpp"
#include "base/testing/must.hpp"
#include "harness/experiment/spec_check.hpp"
#include "harness/suite/estimate.hpp"
#include "harness/suite/shorten.hpp"

namespace waggle::suite {
namespace {

namespace fs = std::filesystem;
using test::Folder;
using test::must;

/// The file "mine.toml" with a title and this.
Result<Suite> read(const std::string& text, const Overrides& overrides = {}) {
  const Folder folder;
  return read_suite(folder.write("mine.toml", "title = \"Mine\"\n" + text), overrides);
}

/// An experiment with this in it.
Result<Suite> read_experiment(const std::string& text) {
  return read("[[experiment]]\nid = \"one\"\ndatapaths = [\"sendfile\", \"udp\"]\n" + text);
}

/// What is said of a suite that makes no sense: one line, without the folder.
std::string refusal(const Result<Suite>& suite) {
  REQUIRE_FALSE(suite);
  CHECK(suite.error().fault == Fault::usage);
  const std::string text = suite.error().text();
  CHECK(text.find('\n') == std::string::npos);
  return text.substr(std::min(text.find("mine.toml"), text.size()));
}

}  // namespace

TEST_CASE("options become members of the Spec by their names, and what is not said has its default") {
  const auto suite = must(read(R"(
about = "What and why"
claims = ["Z0", "Z2"]
seconds = 90
[[experiment]]
id = "one"
title = "The first"
workload = "rr"
datapaths = ["read_write", "sendfile+splice"]
links = ["veth"]
request = 128
rate = 25.5
seconds = "200ms"
clients = 3
wait = "spin"
offloads = false
budget_seconds = "4s"
settings.read_write.buffer = "64KiB"
settings.splice.pipe = 65536
)"));
  CHECK(suite.head.name == "mine");
  CHECK(suite.head.title == "Mine");
  CHECK(suite.head.about == "What and why");
  CHECK(suite.head.claims == std::vector<std::string>{"Z0", "Z2"});
  CHECK(suite.head.seconds == 90);
  REQUIRE(suite.experiments.size() == 1);
  const Planned& planned = suite.experiments.front();
  CHECK(planned.suite == "mine");
  CHECK(planned.id == "one");
  CHECK(planned.title == "The first");
  CHECK(planned.point == std::map<std::string, std::string>{{"link", "veth"}});
  const auto& spec = planned.spec;
  CHECK(spec.workload == "rr");
  CHECK(spec.link == "veth");
  CHECK(spec.pairs.at(1).label() == "sendfile+splice");
  CHECK(spec.parameters.own.at("request") == OptionValue(std::uint64_t{128}));
  CHECK(spec.parameters.own.at("response") == OptionValue(std::uint64_t{64}));
  CHECK(spec.parameters.own.at("rate") == OptionValue(25.5));
  CHECK(spec.parameters.own.at("seconds") == OptionValue(0.2));
  CHECK(spec.parameters.clients == 3);
  CHECK(spec.channel.wait == Wait::spin);
  CHECK_FALSE(spec.offloads);
  CHECK(spec.budget_seconds == 4);
  CHECK(spec.channel.settings ==
        std::map<std::string, std::string>{{"read_write.buffer", "64KiB"}, {"splice.pipe", "65536"}});
  CHECK(spec.least_runs == 0);  // as many as it takes
  CHECK(experiment::run_bounds(spec).least >= 6);
}

TEST_CASE("lists are swept, the first one slowest, each value as it is written") {
  const auto suite = must(read_experiment("size = [\"64KiB\", 1048576]\nclients = [1, 2]\n"));
  std::vector<std::string> labels;
  std::ranges::transform(suite.experiments, std::back_inserter(labels), &Planned::label);
  CHECK(labels == std::vector<std::string>{"one, clients=1, size=64KiB", "one, clients=2, size=64KiB",
                                           "one, clients=1, size=1048576", "one, clients=2, size=1048576"});
  CHECK(suite.experiments.back().spec.parameters.own.at("size") == OptionValue(std::uint64_t{1} << 20));
  std::set<std::string> digests;
  for (const Planned& planned : suite.experiments) {
    digests.insert(planned.digest);
  }
  CHECK(digests.size() == 4);
  const auto settings = must(read_experiment("settings.udp.queues = [1, 2]\nworkload = [\"download\", \"upload\"]\n"));
  REQUIRE(settings.experiments.size() == 4);
  CHECK(settings.experiments[1].point ==
        std::map<std::string, std::string>{{"udp.queues", "1"}, {"workload", "upload"}});
  CHECK(settings.experiments[1].spec.workload == "upload");
}

TEST_CASE("all datapaths are those of compare, and defaults hold where nothing else is said") {
  const auto suite =
      must(read("[defaults]\nsink = \"discard\"\nsize = \"1MiB\"\n[[experiment]]\nid = \"a\"\n"
                "[[experiment]]\nid = \"b\"\nsize = \"2MiB\"\ndatapaths = \"mmap\"\n"));
  REQUIRE(suite.experiments.size() == 2);
  CHECK(suite.experiments[0].spec.pairs.size() > 5);
  CHECK(suite.experiments[0].spec.sink == experiment::Sink::discard);
  CHECK(suite.experiments[0].spec.parameters.own.at("size") == OptionValue(std::uint64_t{1} << 20));
  CHECK(suite.experiments[1].spec.pairs.size() == 1);
  CHECK(suite.experiments[1].spec.parameters.own.at("size") == OptionValue(std::uint64_t{2} << 20));
}

TEST_CASE("what a suite does not know or take is one line with its place") {
  CHECK(refusal(read_experiment("sizes = 1\n")) ==
        "mine.toml:5:1: an experiment has no key 'sizes'; did you mean size?");
  CHECK(refusal(read_experiment("budget = \"3s\"\n")).ends_with("has no key 'budget'; did you mean budget_seconds?"));
  CHECK(refusal(read_experiment("size = \"much\"\n")).starts_with("mine.toml:5:8: size: 'much' is not a size"));
  CHECK(refusal(read_experiment("size = [\"1KiB\", true]\n")).starts_with("mine.toml:5:17: size: "));
  CHECK(refusal(read_experiment("size = -1\n")).starts_with("mine.toml:5:8: size: -1 is no value"));
  CHECK(refusal(read_experiment("sink = \"tmpf\"\n")).find("did you mean tmpfs?") != std::string::npos);
  CHECK(refusal(read_experiment("queues = 65\n")).starts_with("mine.toml:5:10: queues: 65 is out of bounds"));
  CHECK(refusal(read_experiment("queues = []\n")).starts_with("mine.toml:5:10: queues: an empty list"));
  CHECK(refusal(read_experiment("request = 64\n")).starts_with("mine.toml:5:11: request says nothing to the workload"));
  CHECK(refusal(read_experiment("cache = 2020-01-01\n")).starts_with("mine.toml:5:9: cache: "));
  CHECK(refusal(read_experiment("link = \"veth\"\nlinks = [\"veth\"]\n"))
            .starts_with("mine.toml:6:1: link is said twice"));
  CHECK(refusal(read_experiment("runs = 3\nleast_runs = 2\n")).starts_with("mine.toml:"));
  CHECK(refusal(read_experiment("settings.udp.qeues = 1\n")).find("did you mean queues?") != std::string::npos);
  CHECK(refusal(read_experiment("settings.upd.queues = 1\n")).starts_with("mine.toml:5:23: "));
  CHECK(refusal(read_experiment("settings.afxdp.mode = \"generic\"\n")).find("afxdp is not used") != std::string::npos);
  CHECK(refusal(read_experiment("settings = 1\n")).starts_with("mine.toml:5:12: settings is a table"));
  CHECK(refusal(read_experiment("tmpfs_huge = true\nsink = \"file\"\n")).starts_with("mine.toml:5:1: --huge"));
  CHECK(refusal(read_experiment("receiver = 1\n")).starts_with("mine.toml:5:12: 'receiver' is a text"));
  const auto work = read_experiment("work = \"/nowhere\"\n");
  REQUIRE_FALSE(work);
  CHECK(work.error().what.find("mine.toml:5:1: --work: /nowhere is not a directory") != std::string::npos);
}

TEST_CASE("so is what does not stand where it should") {
  CHECK(refusal(read("size = \"1KiB\"\n[[experiment]]\nid = \"a\"\n"))
            .starts_with("mine.toml:2:1: a suite has no 'size'"));
  CHECK(refusal(read("clams = []\n")) == "mine.toml:2:1: a suite has no 'clams'; did you mean 'claims'?");
  CHECK(refusal(read("")).starts_with("mine.toml:1:1: the suite has no experiment"));
  CHECK(refusal(read("seconds = 0\n")).starts_with("mine.toml:2:11: seconds"));
  CHECK(refusal(read("claims = [1]\n")).starts_with("mine.toml:2:11: 'claims' holds texts"));
  CHECK(refusal(read("[[experiment]]\n")).find("an experiment has an id") != std::string::npos);
  CHECK(refusal(read("[[experiment]]\nid = \"A b\"\n")).starts_with("mine.toml:3:6: 'A b' is no id"));
  CHECK(refusal(read("[[experiment]]\nid = \"a\"\n[[experiment]]\nid = \"a\"\n")).starts_with("mine.toml:5:6: "));
  CHECK(refusal(read("[experiment]\nid = \"a\"\n")).find("write [[experiment]]") != std::string::npos);
  CHECK(refusal(read("[[experiment]]\nid = \"a\"\ndatapaths = [\"sendfiel\"]\n")).starts_with("mine.toml:4:13: "));
  CHECK(refusal(read("[[experiment]]\nid = \"a\"\ndatapaths = []\n")).starts_with("mine.toml:4:13: "));
  CHECK(refusal(read("[[experiment\n")).starts_with("mine.toml:2:"));
  CHECK(refusal(read("include = [\"nowhere\"]\n")).starts_with("mine.toml:2:12: there is no suite 'nowhere'"));
  const Folder folder;
  CHECK(refusal(read_suite(folder.write("mine.toml", "about = \"no title\"\n"))).find("has a title") !=
        std::string::npos);
  CHECK(read_suite("/nonexistent/suite.toml").error().fault == Fault::not_found);
  CHECK(read_suite("/dev/null").error().fault == Fault::usage);
}

TEST_CASE("verdicts are left to who judges") {
  CHECK(must(read_experiment("[[verdict]]\nclaim = \"Z2\"\nanything = [1, { at = 2 }]\n")).experiments.size() == 1);
}

TEST_CASE("a suite includes others, whose experiments keep their suite's name") {
  const Folder folder;
  folder.write("one.toml", "title = \"One\"\n[[experiment]]\nid = \"a\"\ndatapaths = \"mmap\"\n");
  folder.write("two.toml", "title = \"Two\"\ninclude = [\"one\"]\n[[experiment]]\nid = \"a\"\ndatapaths = \"udp\"\n");
  const auto suite = must(read_suite(folder.write("all.toml", "title = \"All\"\ninclude = [\"two\"]\n")));
  CHECK(suite.head.name == "all");
  REQUIRE(suite.experiments.size() == 2);
  CHECK(suite.experiments[0].suite == "one");
  CHECK(suite.experiments[1].suite == "two");
  fs::create_directory(folder.path() / "other");
  folder.write("other/one.toml", "title = \"Other\"\n[[experiment]]\nid = \"a\"\ndatapaths = \"udp\"\n");
  const auto alike = folder.write("mine.toml", "title = \"Both\"\ninclude = [\"one\", \"./other/one.toml\"]\n");
  CHECK(refusal(read_suite(alike)).starts_with("mine.toml:2:19: there is another suite 'one'"));
  const auto twice = read_suite(folder.write("mine.toml", "title = \"Mine\"\ninclude = [\"mine\"]\n"));
  CHECK(refusal(twice).starts_with("mine.toml:2:12: mine is included in itself"));
}

TEST_CASE("a call overrides what the file says") {
  const std::string file = "[[experiment]]\nid = \"a\"\ndatapaths = \"mmap\"\nleast_runs = 8\nmost_runs = 9\n";
  const auto spec = [&](const Overrides& overrides) { return must(read(file, overrides)).experiments.front().spec; };
  CHECK(spec({.values = {{"budget_seconds", 1.5}}}).budget_seconds == 1.5);
  CHECK(spec({.values = {}, .runs = 2}).least_runs == 2);
  CHECK(spec({.values = {}, .runs = 2}).most_runs == 2);
  CHECK(spec({.values = {{"most_runs", std::uint64_t{3}}}}).least_runs == 3);
  CHECK(spec({.values = {{"least_runs", std::uint64_t{12}}}}).most_runs == 12);
}

TEST_CASE("a digest tells settings apart, and nothing else") {
  const auto digest = [](const std::string& text) { return must(read_experiment(text)).experiments.front().digest; };
  const std::string usual = digest("");
  CHECK(usual.size() == 32);
  CHECK(digest("size = \"1GiB\"\n") == usual);  // which it is anyway
  CHECK(digest("seed = 7\n") == usual);
  CHECK(digest("work = \"/tmp\"\n") == usual);
  CHECK(digest("size = \"2GiB\"\n") != usual);
  CHECK(digest("settings.udp.queues = 2\n") != usual);
  CHECK(digest("budget_seconds = \"1s\"\n") != usual);
  CHECK(digest("least_runs = 6\n") == usual);  // which it takes anyway
  CHECK(digest("least_runs = 7\n") != usual);
  auto planned = must(read_experiment("")).experiments.front();
  must(experiment::settle(planned.spec, experiment::said(planned.spec)));
  CHECK(digest_of(planned.spec) == usual);
}

TEST_CASE("an estimate counts runs and bounds them by the budget") {
  const auto of = [](const std::string& text) { return estimate(must(read_experiment(text)).experiments); };
  const Estimate exact = of("runs = 10\nsize = \"1MiB\"\n");
  CHECK(exact.contestants == 2);
  CHECK(exact.runs == 2 * 12);
  CHECK(exact.seconds > 5);
  CHECK(of("runs = 10\nsize = \"1GiB\"\n").seconds > 2 * exact.seconds);
  CHECK(of("budget_seconds = \"1s\"\nleast_runs = 3\n").runs == 2 * 5);
  CHECK(of("runs = 10\nclients = [1, 2]\nsize = \"1MiB\"\n").runs == 4 * 12);
  CHECK(of("workload = \"idle\"\nseconds = \"10s\"\nruns = 1\n").seconds > 60);
  CHECK(check_meant(exact).has_value());
  const auto many = check_meant(of("runs = 100000\n"));
  REQUIRE_FALSE(many);
  CHECK(many.error().fault == Fault::usage);
  CHECK(many.error().text().find("200,004 runs") != std::string::npos);
  CHECK(many.error().text().find("--yes") != std::string::npos);
}

TEST_CASE(
    "an experiment is shortened to the time there is: fewer runs, then less in each, then fewer than would tell") {
  const auto spec_of = [](const std::string& text) { return must(read_experiment(text)).experiments.front().spec; };
  const auto size_of = [](const experiment::Spec& spec) {
    return std::get<std::uint64_t>(spec.parameters.own.at("size"));
  };
  const auto asked = spec_of("size = \"1GiB\"\n");
  auto ample = asked;
  CHECK(shorten(ample, 3600).seconds < 3600);
  CHECK(size_of(ample) == size_of(asked));
  CHECK(ample.least_runs == asked.most_runs);
  auto brief = asked;
  CHECK(shorten(brief, 15).seconds <= 15);
  CHECK(size_of(brief) < size_of(asked));
  CHECK(brief.least_runs >= 6);
  CHECK(brief.least_runs == brief.most_runs);
  auto none = asked;
  shorten(none, 0.1);
  CHECK(size_of(none) == std::uint64_t{16} << 20U);
  CHECK(none.least_runs == 3);
  auto blocks = spec_of("workload = \"rand-read\"\nclients = 16\n");
  CHECK(shorten(blocks, 120).seconds <= 120);
  CHECK(blocks.least_runs >= 6);
  CHECK(std::get<std::uint64_t>(blocks.parameters.own.at("count")) < 20'000);
  auto idle = spec_of("workload = \"idle\"\nseconds = \"8s\"\n");
  CHECK(shorten(idle, 30).seconds <= 30);
  CHECK(std::get<double>(idle.parameters.own.at("seconds")) < 8);
}

TEST_CASE("a sweep that nobody can have meant is refused before it is made") {
  std::string lists;
  for (const char* name : {"mtu", "send_buffer", "warmups", "probed_runs", "seed"}) {
    lists += fmt::format("{} = [100, 101, 102, 103, 104, 105, 106, 107, 108, 109]\n", name);
  }
  CHECK(refusal(read_experiment(lists)).starts_with("mine.toml:2:1: one sweeps 100000 points"));
}

}  // namespace waggle::suite
