// SPDX-License-Identifier: BSD-2-Clause
#include "harness/record/record.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/record/archive.hpp"
#include "harness/record/upgrade.hpp"

namespace waggle::record {
namespace {

using nlohmann::json;

/// A real record of version 1, shortened.
json version_1() {
  const char* source = std::getenv("WAGGLE_SOURCE");
  std::ifstream file(std::string(source != nullptr ? source : ".") + "/harness/record/testing/version-1.json");
  return json::parse(file, nullptr, false);
}

TEST_CASE("a record is read as it was written") {
  const auto record = from_json(version_1());
  REQUIRE(record);
  const json document = to_json(*record);
  CHECK(document.at("schema").get<std::string>() == "waggle-record/2");
  const auto again = from_json(document);
  REQUIRE(again);
  CHECK(to_json(*again) == document);
}

TEST_CASE("version 1 becomes version 2: every figure is there, of the party that it belongs to") {
  const json old = version_1();
  const auto record = from_json(old);
  REQUIRE(record);
  REQUIRE(record->contestants.size() == old.at("pairs").size());
  for (std::size_t i = 0; i < record->contestants.size(); ++i) {
    const json& pair = old.at("pairs").at(i);
    const Contestant& contestant = record->contestants[i];
    CHECK(contestant.label == pair.at("label").get<std::string>());
    CHECK(contestant.parties.at(0).role == Role::sender);
    CHECK(contestant.parties.at(0).datapath == pair.at("sender").get<std::string>());
    CHECK(contestant.parties.at(1).datapath == pair.at("receiver").get<std::string>());
    if (!contestant.ok()) {
      continue;
    }
    const json& summary = pair.at("summary");
    CHECK(contestant.parties.at(0).host == "server");
    CHECK(contestant.parties.at(1).facts->incoming ==
          pair.at("facts").at("receiver").at("receiver").get<std::string>());
    CHECK(contestant.parties.at(1).model->because == pair.at("model").at("receiver").at("because").get<std::string>());
    CHECK(contestant.parties.at(0).model->dma.because == pair.at("model").at("dma").at("because").get<std::string>());
    CHECK(contestant.summary->goodput_bits_per_second.median ==
          summary.at("goodput_bits_per_second").at("median").get<double>());
    CHECK(contestant.summary->copies.modelled == summary.at("copies").at("total").at("modelled").get<double>());
    for (const PartySummary& party : contestant.summary->parties) {
      const std::string side(name(party.role));
      CHECK(party.cpu_seconds_per_gib->median == summary.at("cpu_seconds_per_gib").at(side).at("median").get<double>());
      CHECK(party.context_switches.involuntary ==
            summary.at("context_switches").at("involuntary").at(side).get<double>());
      CHECK(party.copies.kernel.modelled == summary.at("copies").at(side).at("kernel").at("modelled").get<double>());
    }
    for (std::size_t run = 0; run < contestant.runs.size(); ++run) {
      const json& before = pair.at("runs").at(run);
      const Run& after = contestant.runs[run];
      CHECK(after.seconds == before.at("seconds").get<double>());
      CHECK(after.parties.at(1).usage.system_s == before.at("receiver").at("system_s").get<double>());
      CHECK(after.parties.at(1).cpu == old.at("spec").at("client_cpu").get<int>());
      CHECK(after.trace.has_value() == before.contains("trace"));
    }
  }
}

TEST_CASE("what is not as it should be is told with its place") {
  const json good = upgrade(version_1());
  const auto told = [](const json& bad) {
    const auto record = from_json(bad);
    return record ? std::string() : record.error().what;
  };
  CHECK(told(good).empty());
  json bad = good;
  bad["contestants"][0]["runs"][1]["seconds"] = "long";
  CHECK(told(bad) == "contestants[0].runs[1].seconds: a number was expected, not string");
  bad = good;
  bad["contestants"][0]["runs"][0].erase("payload_bytes");
  CHECK(told(bad) == "contestants[0].runs[0]: \"payload_bytes\" is missing");
  bad = good;
  bad["contestants"][0]["parties"][1]["role"] = "bystander";
  CHECK(told(bad) == "contestants[0].parties[1].role: one of its words was expected, not \"bystander\"");
  bad = good;
  bad["spec"]["seed"] = -1;
  CHECK(told(bad) == "spec.seed: a whole number from 0 on was expected, not number");
  bad = good;
  bad["spec"]["mtu"] = std::uint64_t{1} << 40U;
  CHECK(told(bad) == "spec.mtu: the number is too large");
  CHECK(told(json::array()) == "this is not a record");
}

TEST_CASE("a malformed document of version 1 is an error, never more") {
  const json good = version_1();
  std::size_t refused = 0;
  std::size_t leaf = 0;
  // Members and what they are in, at every depth, in the place of every kind of value.
  const json leaves = good.flatten();
  for (const auto& [pointer, value] : leaves.items()) {
    if (leaf++ % 29 != 0) {
      continue;
    }
    for (json::json_pointer at(pointer); !at.empty(); at = at.parent_pointer()) {
      for (const json& other : {json(), json(7), json("text"), json::array({1}), json{{"a", 1}}}) {
        json bad = good;
        bad[at] = other;
        refused += from_json(bad) ? 0 : 1;
      }
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("words are printed and parsed by the same table") {
  CHECK(name(Role::relay) == "relay");
  CHECK(named<Role>("store") == Role::store);
  CHECK_FALSE(named<Role>("bystander"));
  CHECK(named<Grade>("traced") == Grade::traced);
  CHECK(name(Kind::moved) == "moved");
}

TEST_CASE("tables are made of what can be printed") {
  Record record;
  record.command_line = {"\xff"};
  record.contestants.emplace_back().label = "a\x1b[2Jb";
  record.environment.links["v\x07"].kind = "veth";
  const Record clean = printable(record);
  CHECK(clean.command_line == std::vector<std::string>{"\\xff"});
  CHECK(clean.contestants.front().label == "a\\u001b[2Jb");
  CHECK(clean.environment.links.begin()->first == "v\\u0007");
}

TEST_CASE("what the kernel copied of zero-copy sends is added where nothing has counted it") {
  Trace trace{.grade = Grade::traced, .parties = {{.role = Role::receiver}, {.role = Role::sender}}};
  trace.parties[1].kernel_copied_bytes = 100;
  trace.add_copied_zerocopy(8192);
  CHECK(trace.parties[0].kernel_copied_bytes == 0);
  CHECK(trace.parties[1].kernel_copied_bytes == 8292);
  trace.grade = Grade::counted;
  trace.add_copied_zerocopy(8192);
  CHECK(trace.parties[1].kernel_copied_bytes == 8292);
}

}  // namespace
}  // namespace waggle::record
