// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "base/suggest.hpp"
#include "datapaths/settings.hpp"
#include "harness/cli/experiment_options.hpp"
#include "harness/cli/progress.hpp"
#include "harness/experiment/cpus.hpp"
#include "harness/experiment/option_json.hpp"
#include "harness/experiment/pairs.hpp"
#include "harness/report/style.hpp"

namespace waggle::cli {
namespace {

using experiment::allowed_cpus;
using experiment::parse_cpus;
using experiment::parse_pair;
using experiment::parse_pairs;

constexpr auto kFile = Incoming::Sink::file;
constexpr auto kDiscard = Incoming::Sink::discard;

TEST_CASE("a misspelt name is recognised, a different one is not") {
  const std::vector<std::string> names{"run", "compare", "clean", "doctor"};
  CHECK(suggest("comapre", names) == "compare");
  CHECK(suggest("rnu", names).empty());
  CHECK(suggest("ru", names) == "run");
  CHECK(suggest("docter", names) == "doctor");
  CHECK(suggest("banana", names).empty());
}

TEST_CASE("a pair is a sender, and a receiver where one is named") {
  CHECK(parse_pair("sendfile", "", kFile)->receiver == "read_write");
  CHECK(parse_pair("sendfile", "splice", kFile)->receiver == "splice");
  CHECK(parse_pair("sendfile+mmap", "", kFile)->receiver == "mmap");
}

TEST_CASE("a pair that makes no sense is wrong use, and the message lists what there is") {
  const auto nonsense = parse_pair("nonsense", "", kFile);
  REQUIRE_FALSE(nonsense);
  CHECK(nonsense.error().fault == Fault::usage);
  CHECK(nonsense.error().text().find("sendfile") != std::string::npos);
  const auto cannot_receive = parse_pair("read_write+sendfile", "", kFile);
  REQUIRE_FALSE(cannot_receive);
  CHECK(cannot_receive.error().text().find("sendfile does not receive") != std::string::npos);
}

TEST_CASE("what never sees the bytes cannot discard them, because nothing would be verified") {
  const auto refused = parse_pair("sendfile+splice", "", kDiscard);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::usage);
  CHECK(refused.error().what.find("nothing could be verified") != std::string::npos);
  CHECK(parse_pair("splice", "", kDiscard)->receiver == "read_write");
}

TEST_CASE("all are the senders, all-pairs their product with the receivers, a list what it names") {
  const auto all = parse_pairs("all", "read_write", kFile);
  REQUIRE(all);
  CHECK(std::ranges::all_of(*all, [](const auto& pair) { return pair.receiver == "read_write"; }));
  CHECK(std::ranges::count(*all, "sendfile", &experiment::Pair::sender) == 1);
  const auto product = parse_pairs("all-pairs", "", kFile);
  REQUIRE(product);
  const auto receivers = std::ranges::count(*product, "sendfile", &experiment::Pair::sender);
  CHECK(receivers > 1);
  CHECK(product->size() == all->size() * static_cast<std::size_t>(receivers));
  const auto list = parse_pairs("sendfile,mmap+splice", "", kFile);
  REQUIRE(list);
  CHECK(list->size() == 2);
  CHECK(parse_pairs("all,sendfile+splice", "", kFile)->size() == all->size() + 1);
  CHECK_FALSE(parse_pairs("sendfile,,mmap", "", kFile));
}

TEST_CASE("a pair that is named twice is refused, whatever it is called") {
  for (const auto* text :
       {"sendfile,mmap+splice,sendfile", "sendfile,sendfile+read_write", "all,sendfile", "all,all"}) {
    CAPTURE(text);
    const auto twice = parse_pairs(text, "", kFile);
    REQUIRE_FALSE(twice);
    CHECK(twice.error().fault == Fault::usage);
    CHECK(twice.error().what.find("is named twice") != std::string::npos);
  }
}

TEST_CASE("a flag is told of the options that run has, and of no others") {
  CLI::App app;
  ExperimentOptions options;
  options.add_to(app);
  std::set<std::string> told;
  for (const auto* table :
       {&experiment::spec_options().infos(), &workloads::common_options().infos(), &channel_options().infos()}) {
    for (const auto& option : experiment::describe(*table)) {
      const auto name = option.at("name").get<std::string>();
      CAPTURE(name);
      if (option.contains("flag")) {
        CHECK(app.get_option_no_throw(option.at("flag").get<std::string>()) != nullptr);
        CHECK(told.insert(name).second);
      }
    }
  }
  for (const auto* name : {"link", "sink", "seed", "wait", "clients", "allow_fallback", "budget_seconds"}) {
    CHECK(told.contains(name));
  }
  for (const auto* name : {"timeout_s", "link_at", "interval_target"}) {
    CHECK_FALSE(told.contains(name));
  }
}

TEST_CASE("CPUs are named by distance or by number") {
  const int first = allowed_cpus().front();
  CHECK(parse_cpus("auto", {})->first == first);
  CHECK(parse_cpus(fmt::format("{},{}", first, first), {}).value() == std::pair(first, first));
  for (const auto* nonsense : {"", "close", "0", "0,", ",1", "0,1,2", "0-1", "-1,0"}) {
    const auto refused = parse_cpus(nonsense, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::usage);
  }
  CHECK(parse_cpus(fmt::format("{},4095", first), {}).error().what == "--cpus: there is no CPU 4095 to run on");
}

TEST_CASE("progress shows what it knows and fits the line") {
  CHECK(progress_line(0.5, "a.bin", 1024 * 1024, 65, 80) ==
        "[============            ]  50 %  a.bin  1 MiB/s  1:05 left");
  CHECK(progress_line(-1, "a.bin", 0, -1, 80) == "a.bin");
  CHECK(report::columns(progress_line(0.5, std::string(200, 'x'), 1e9, 7200, 40)) == 40);
}

}  // namespace
}  // namespace waggle::cli
