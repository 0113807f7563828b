// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <random>

#include "datapaths/packet/simulated/testing/scenario.hpp"
#include "datapaths/packet/testing/times.hpp"

/// Paths that become narrower and wider while they are used.
namespace waggle::packet::testing {
namespace {

constexpr std::uint32_t kLarge = 8972;

/// A clean link of 1 ms each way between ports that take large packets, with nothing to do yet.
Scenario quiet(std::uint64_t seed) {
  Scenario scenario(seed);
  scenario.mishap = Mishap::none;
  scenario.up = scenario.down = {.delay = kMs};
  scenario.client_port = scenario.server_port = {.packet = kLarge, .rx_capacity = 1024, .tx_capacity = 256};
  scenario.client.staging = scenario.server.staging = std::uint64_t{32} << 20U;
  scenario.client.burst = scenario.server.burst = 8;
  scenario.jobs.clear();
  scenario.bytes = scenario.file_size = 0;
  scenario.concurrency = 1;
  return scenario;
}

void add(Scenario& scenario, std::uint64_t length, bool put, std::uint32_t ballast) {
  Job job;
  job.id = {static_cast<std::uint32_t>(scenario.jobs.size() + 1), scenario.file_size, length};
  job.put = put;
  job.ballast = ballast;
  scenario.jobs.push_back(job);
  scenario.file_size += length;
  scenario.bytes += length;
}

TEST_CASE("a path that shrinks while only messages are outstanding recovers") {
  const std::uint32_t narrow = GENERATE(1200U, 1428U, 4000U);
  Scenario scenario = quiet(1);
  for (int i = 0; i < 40; ++i) {
    add(scenario, 1, false, 60'000);
  }
  scenario.path_steps = {{20 * kMs, narrow}};
  CAPTURE(narrow);
  const Outcome outcome = run(scenario);
  CHECK(outcome.failure.empty());
  CHECK(outcome.verified);
  CHECK(outcome.took < 20 * kSecond);
  CHECK(outcome.probe_timeouts < 30);
}

TEST_CASE("a path that shrinks for large packets while small ones go on arriving recovers") {
  Scenario scenario = quiet(2);
  scenario.concurrency = 4;
  add(scenario, 8'000'000, false, 0);
  for (int i = 0; i < 400; ++i) {
    add(scenario, 10, i % 2 == 0, 0);  // their messages, and acknowledgements of them, fit
  }
  scenario.path_steps = {{15 * kMs, 1428}};
  const Outcome outcome = run(scenario);
  CHECK(outcome.failure.empty());
  CHECK(outcome.verified);
  CHECK(outcome.took < 20 * kSecond);
}

TEST_CASE("whatever the steps of a path, messages and payload arrive") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto upto = [&](std::uint64_t most) { return random() % (most + 1); };
    Scenario scenario = quiet(seed);
    scenario.up.loss = scenario.down.loss = seed % 3 == 0 ? 0.02 : 0;
    scenario.up.delay = scenario.down.delay = 10'000 + upto(10 * kMs);
    scenario.concurrency = 1 + upto(3);
    const std::uint64_t jobs = 1 + upto(20);
    for (std::uint64_t i = 0; i < jobs; ++i) {
      add(scenario, upto(1) == 0 ? 1 + upto(200) : 1 + upto(300'000), upto(1) == 0,
          upto(1) == 0 ? static_cast<std::uint32_t>(upto(60'000)) : 0);
    }
    Time at = 0;
    for (std::uint64_t steps = 1 + upto(5); steps > 0; --steps) {
      at += upto(100 * kMs);
      scenario.path_steps.emplace_back(at, 1200 + static_cast<std::uint32_t>(upto(kLarge - 1200)));
    }
    INFO(scenario.describe());
    Outcome outcome;
    REQUIRE_NOTHROW(outcome = run(scenario));
    CAPTURE(outcome.failure);
    REQUIRE(outcome.verified);
    REQUIRE(outcome.took < 60 * kSecond);
  }
}

TEST_CASE("probes of the path MTU hold no payload back, however large they are") {
  const Time delay = GENERATE(20'000U, kMs, 25 * kMs);
  const std::uint32_t path = GENERATE(1200U, 1472U, 8972U);
  Scenario scenario = quiet(3);
  scenario.up.delay = scenario.down.delay = delay;
  add(scenario, 2'000'000, false, 0);
  add(scenario, 2'000'000, true, 0);
  scenario.path_steps = {{0, path}};
  scenario.client_port.packet = scenario.server_port.packet = MtuSearch::kBase;
  const Outcome known = run(scenario);
  scenario.client_port.packet = scenario.server_port.packet = 61'440;
  const Outcome searched = run(scenario);
  CAPTURE(delay, path, known.took, searched.took);
  REQUIRE(known.verified);
  REQUIRE(searched.verified);
  CHECK(searched.took < known.took + known.took / 10);
}

}  // namespace
}  // namespace waggle::packet::testing
