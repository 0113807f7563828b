// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/evidence.hpp"

#include <catch2/catch.hpp>

#include "harness/verdict/testing/brief.hpp"

namespace waggle::verdict {
namespace {

using testing::contestant;
using testing::Given;
using testing::record_at;
using testing::rule;
using testing::without;

const std::vector<double> kSome{1, 2, 3};

TEST_CASE("the newest record in which the contestant is whole answers") {
  const auto good = contestant({.label = "sendfile", .goodput = kSome});
  const Given given({record_at({}, {good}, "2026-11-21T10:00:00Z"), record_at({}, {good}, "2026-11-23T10:00:00Z"),
                     record_at({}, {good}, "2026-11-22T10:00:00Z"),
                     record_at({}, {without("sendfile", record::Status::failed, "lost")}, "2026-11-24T10:00:00Z")});
  const auto found = find_evidence(rule(Is::more_than, 1.0), given.list);
  REQUIRE(found.size() == 1);
  CHECK(found.front().of == Evidence{.record = 1, .contestant = 0});
  CHECK(found.front().older == 3);
  CHECK(found.front().foreign == 0);
}

TEST_CASE("records of another machine are counted among those that were left aside") {
  const auto good = contestant({.label = "sendfile", .goodput = kSome});
  const auto on = [&](const char* kernel, const char* created) {
    auto record = record_at({}, {good}, created);
    record.environment.hosts = {{.names = {"server", "client"}, .kernel = kernel}};
    return record;
  };
  const Given given({on("6.1.0", "2026-11-21T10:00:00Z"), on("6.18.0", "2026-11-22T10:00:00Z"),
                     on("6.18.0", "2026-11-23T10:00:00Z")});
  const auto found = find_evidence(rule(Is::more_than, 1.0), given.list);
  REQUIRE(found.size() == 1);
  CHECK(found.front().of->record == 2);
  CHECK(found.front().older == 2);
  CHECK(found.front().foreign == 1);
}

TEST_CASE("records of the same second are told apart by the names of their files") {
  const auto good = contestant({.label = "sendfile", .goodput = kSome});
  const Given given({record_at({}, {good}), record_at({}, {good})});
  CHECK(find_evidence(rule(Is::more_than, 1.0), given.list).front().of->record == 1);
  const std::vector<Recorded> reversed(given.list.rbegin(), given.list.rend());
  CHECK(find_evidence(rule(Is::more_than, 1.0), reversed).front().of->record == 0);
}

TEST_CASE("two that are compared come from one record where any has both") {
  const auto ours = contestant({.label = "sendfile", .goodput = kSome});
  const auto other = contestant({.label = "mmap", .goodput = kSome});
  const Given given(
      {record_at({}, {other, ours}, "2026-11-21T10:00:00Z"), record_at({}, {ours}, "2026-11-22T10:00:00Z")});
  const auto found = find_evidence(rule(Is::more_than, "mmap"), given.list);
  REQUIRE(found.size() == 1);
  CHECK(found.front().of == Evidence{.record = 0, .contestant = 1});
  CHECK(found.front().than == Evidence{.record = 0, .contestant = 0});
}

TEST_CASE("points and links are asked one by one, and a filter leaves out the others") {
  const auto veth = contestant({.label = "sendfile", .goodput = kSome});
  const auto loopback = contestant({.label = "sendfile", .goodput = kSome, .link = "loopback"});
  const Given given({record_at({{"size", "1MiB"}}, {veth, loopback}), record_at({{"size", "64KiB"}}, {veth})});
  auto asked = rule(Is::more_than, 1.0);
  CHECK(find_evidence(asked, given.list).size() == 3);
  asked.link = "veth";
  CHECK(find_evidence(asked, given.list).size() == 2);
  asked.at = {{"size", "1024KiB"}};
  const auto one = find_evidence(asked, given.list);
  REQUIRE(one.size() == 1);
  CHECK(one.front().instance.point == Point{{"size", "1MiB"}});
  asked.at = {{"size", "2MiB"}};
  CHECK(find_evidence(asked, given.list).empty());
  asked.at = {{"clients", "1"}};
  CHECK(find_evidence(asked, given.list).empty());
}

TEST_CASE("another point differs in what the rule names, and in nothing else") {
  const auto one = contestant({.label = "sendfile", .goodput = kSome});
  const Given given({record_at({{"clients", "1"}, {"size", "1MiB"}}, {one}),
                     record_at({{"clients", "4"}, {"size", "1MiB"}}, {one}),
                     record_at({{"clients", "1"}, {"size", "1GiB"}}, {one})});
  auto asked = rule(Is::more_than, std::nullopt);
  asked.than_at = {{"clients", "1"}};
  const auto found = find_evidence(asked, given.list);
  REQUIRE(found.size() == 1);  // those with one client would be compared with themselves
  CHECK(found.front().of->record == 1);
  CHECK(found.front().than->record == 0);
  asked.at = {{"size", "1GiB"}};
  asked.than_at = {{"clients", "4"}};
  CHECK_FALSE(find_evidence(asked, given.list).front().than);
}

TEST_CASE("another experiment is asked at the same point, as far as it has one") {
  const auto one = contestant({.label = "sendfile", .goodput = kSome});
  auto other = record_at({}, {one});
  other.suite->experiment = "base";
  const Given given({other, record_at({{"size", "1MiB"}}, {one}), record_at({{"size", "1GiB"}}, {one})});
  auto asked = rule(Is::more_than, std::nullopt);
  asked.than_experiment = "base";
  const auto found = find_evidence(asked, given.list);
  REQUIRE(found.size() == 2);
  for (const auto& each : found) {
    CHECK(each.than == Evidence{.record = 0, .contestant = 0});
  }
  asked.than_at = {{"nothing", "1"}};
  CHECK_FALSE(find_evidence(asked, given.list).front().than);
}

TEST_CASE("what could not run is found, but not where the same could over a link") {
  const auto none = without("sendfile", record::Status::unavailable, "no NIC");
  const Given alone({record_at({}, {none})});
  REQUIRE(find_evidence(rule(Is::more_than, 1.0), alone.list).size() == 1);
  CHECK(find_evidence(rule(Is::more_than, 1.0), alone.list).front().of);
  auto nowhere = none;
  nowhere.link.clear();
  const Given both({record_at({}, {nowhere}), record_at({}, {contestant({.label = "sendfile", .goodput = kSome})})});
  const auto found = find_evidence(rule(Is::more_than, 1.0), both.list);
  REQUIRE(found.size() == 1);
  CHECK(found.front().instance.link == "veth");
}

TEST_CASE("what it is compared with is found where it could not run over any link") {
  auto none = without("mmap", record::Status::unavailable, "no NIC");
  none.link.clear();
  const Given given({record_at({}, {contestant({.label = "sendfile", .goodput = kSome}), none})});
  const auto found = find_evidence(rule(Is::more_than, "mmap"), given.list);
  REQUIRE(found.size() == 1);
  CHECK(found.front().than == Evidence{.record = 0, .contestant = 1});
}

TEST_CASE("records of other suites and experiments say nothing") {
  auto other = record_at({}, {contestant({.label = "sendfile", .goodput = kSome})});
  other.suite->experiment = "other";
  auto foreign = other;
  foreign.suite->name = "copies";
  auto plain = other;
  plain.suite.reset();
  const Given given({other, foreign, plain});
  CHECK(find_evidence(rule(Is::more_than, 1.0), given.list).empty());
}

}  // namespace
}  // namespace waggle::verdict
