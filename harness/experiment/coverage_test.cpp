// SPDX-License-Identifier: BSD-2-Clause
// What the tables promise, tried on machines that are made up: how often does the interval that an experiment ends with
// hold the true median?
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <random>

#include "harness/experiment/pilot.hpp"
#include "harness/statistics/statistics.hpp"

using namespace waggle::experiment;
using namespace waggle::statistics;
using waggle::record::Interval;

namespace {

constexpr int kTrials = 2000;
/// Three standard deviations of such a simulation at 95 %.
constexpr double kChance = 0.015;

/// Runs of one experiment, with the true median 1.
using Machine = std::function<std::vector<double>(std::mt19937_64& random, std::size_t runs)>;

Machine noise(double share) {
  return [=](std::mt19937_64& random, std::size_t runs) {
    std::normal_distribution<double> normal(1, share);
    std::vector<double> values(runs);
    for (double& value : values) {
      value = normal(random);
    }
    return values;
  };
}

/// Mostly fast, now and then slow.
Machine skewed(double share) {
  return [=](std::mt19937_64& random, std::size_t runs) {
    std::exponential_distribution<double> slow(1);
    std::vector<double> values(runs);
    for (double& value : values) {
      value = 1 - share * (slow(random) - std::log(2));
    }
    return values;
  };
}

/// A first-order autoregression: what disturbs a run still disturbs the next one by `memory`.
std::vector<double> drift(std::mt19937_64& random, std::size_t runs, double share, double memory) {
  std::normal_distribution<double> normal;
  std::vector<double> values(runs);
  double now = normal(random);
  for (double& value : values) {
    value = 1 + share * now;
    now = memory * now + std::sqrt(1 - memory * memory) * normal(random);
  }
  return values;
}

struct Held {
  int all = 0;
  int held = 0;
  double runs = 0;
  double share() const { return static_cast<double>(held) / all; }
};

/// What an experiment does: a pilot, then the number of runs that follows from it.
Held play(const Machine& machine, const PilotRule& rule, bool only_on_target = false) {
  std::mt19937_64 random(4);
  Held result;
  for (int trial = 0; trial < kTrials; ++trial) {
    auto values = machine(random, rule.most);
    const Planned planned = plan(rule, {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rule.least)}, 0);
    if (only_on_target && planned.because != Stop::interval) {
      continue;
    }
    values.resize(planned.runs);
    const Interval interval = interval_of(values);
    ++result.all;
    result.runs += static_cast<double>(planned.runs) / kTrials;
    result.held += *interval.low <= 1 && 1 <= *interval.high ? 1 : 0;
  }
  return result;
}

}  // namespace

TEST_CASE("the interval that an experiment ends with holds the true median 95 times in 100") {
  struct {
    const char* what;
    Machine machine;
    double target;
  } const cases[]{{"2 % noise, 2 % wanted", noise(0.02), 0.02},
                  {"5 % noise, 2 % wanted", noise(0.05), 0.02},
                  {"5 % noise, 5 % wanted", noise(0.05), 0.05},
                  {"10 % noise, 5 % wanted", noise(0.10), 0.05},
                  {"5 % skewed noise, 2 % wanted", skewed(0.05), 0.02}};
  for (const auto& each : cases) {
    const PilotRule rule{.least = 6, .most = 30, .target = each.target};
    const Held all = play(each.machine, rule);
    const Held stopped = play(each.machine, rule, true);
    INFO(each.what << ": " << all.share() << " of all; " << stopped.share() << " of the " << stopped.all
                   << " that the target stopped; " << all.runs << " runs");
    CHECK(all.share() >= 0.95 - kChance);
    CHECK((stopped.all < 100 || stopped.share() >= 0.95 - kChance * std::sqrt(double{kTrials} / stopped.all)));
  }
}

TEST_CASE("an interval that is looked at until it is narrow would not") {
  std::mt19937_64 random(4);
  int held = 0;
  int stopped = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto values = noise(0.05)(random, 30);
    for (std::size_t runs = 5; runs < values.size(); ++runs) {
      const Interval interval = interval_of({values.begin(), values.begin() + static_cast<std::ptrdiff_t>(runs)});
      if (*interval.half_width() <= 0.02) {
        ++stopped;
        held += *interval.low <= 1 && 1 <= *interval.high ? 1 : 0;
        break;
      }
    }
  }
  INFO(held << " of " << stopped);
  CHECK(held < 0.9 * stopped);
}

TEST_CASE("on a machine that drifts ratios within rounds hold, and the interval of one candidate is wider") {
  for (const double memory : {0.5, 0.7, 0.9}) {
    const PilotRule rule{.least = 6, .most = 30, .target = 0.02};
    const auto two_of_one_machine = [=](std::mt19937_64& random, std::size_t runs) {
      const auto machine = drift(random, runs, 0.05, memory);
      auto mine = noise(0.01)(random, runs);
      const auto other = noise(0.01)(random, runs);
      for (std::size_t i = 0; i < runs; ++i) {
        mine[i] = mine[i] * machine[i] / (other[i] * machine[i]);
      }
      return mine;
    };
    const Held paired = play(two_of_one_machine, rule);
    INFO("memory " << memory << ": " << paired.share());
    CHECK(paired.share() >= 0.95 - kChance);
    std::mt19937_64 random(5);
    int wider = 0;
    for (int trial = 0; trial < 100; ++trial) {
      wider += interval_of(drift(random, 30, 0.05, memory)).drift > 0 ? 1 : 0;
    }
    CHECK(wider > (memory > 0.6 ? 95 : 60));
  }
}

TEST_CASE("on a machine that does not drift few intervals are widened, and none by much") {
  for (const std::size_t runs : {6U, 9U, 12U, 30U}) {
    std::mt19937_64 random(6);
    int wider = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      const Interval interval = interval_of(noise(0.02)(random, runs));
      wider += interval.drift > 0 ? 1 : 0;
      CHECK(*interval.half_width() < 0.2);
    }
    INFO(runs << " runs: " << wider << " of " << kTrials);
    CHECK(wider <= (runs < 10 ? 0 : kTrials * 8 / 100));
  }
}

TEST_CASE("ten candidates that are equal show no difference to the best 95 times in 100") {
  constexpr std::size_t kCandidates = 10;
  const std::size_t comparisons = comparisons_among(kCandidates);
  std::mt19937_64 random(7);
  int uncorrected = 0;
  int corrected = 0;
  constexpr int kTables = 500;
  for (int table = 0; table < kTables; ++table) {
    std::vector<std::vector<double>> candidates;
    for (std::size_t i = 0; i < kCandidates; ++i) {
      candidates.push_back(noise(0.03)(random, least_covering(comparisons)));
    }
    const auto best = *std::ranges::max_element(candidates, {}, [](const auto& runs) { return median(runs); });
    const auto differs = [&](std::size_t among) {
      return std::ranges::any_of(candidates, [&](std::vector<double> runs) {
        for (std::size_t i = 0; i < runs.size(); ++i) {
          runs[i] /= best[i];
        }
        return runs != std::vector<double>(runs.size(), 1) && *interval_of(runs, among).high < 1;
      });
    };
    uncorrected += differs(1) ? 1 : 0;
    corrected += differs(comparisons) ? 1 : 0;
  }
  INFO(uncorrected << " and " << corrected << " of " << kTables);
  CHECK(uncorrected > kTables / 10);
  CHECK(corrected <= kTables / 20);
}
