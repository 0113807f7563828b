// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/words.hpp"
#include "harness/answers/nearest.hpp"
#include "harness/record/figures.hpp"
#include "harness/report/style.hpp"

/// Which datapath to take, by how much, at what cost, and how sure that is: the judgement alone, of records that are
/// there.
namespace waggle::answers {

enum class Goal { goodput, latency, cpu };
constexpr auto words_of(Goal) {
  return std::to_array<Word<Goal>>({{Goal::goodput, "goodput"}, {Goal::latency, "latency"}, {Goal::cpu, "cpu"}});
}

/// low: nothing is shown yet; medium: shown, with something that could change it; high: neither.
enum class Sureness { high, medium, low };
constexpr auto words_of(Sureness) {
  return std::to_array<Word<Sureness>>(
      {{Sureness::high, "high"}, {Sureness::medium, "medium"}, {Sureness::low, "low"}});
}

/// What whoever knows datapaths says of a contestant; records do not.
struct Demand {
  struct Need {
    std::string kind;  ///< "root"
    std::string what;
  };
  std::vector<Need> needs;
  std::string missing = {};   ///< why it cannot run on this machine now, and what would help; empty: it can
  bool demonstrates = false;  ///< it is no way to move files, and is not advised
};
using DemandOf = std::function<Demand(const record::Record&, const record::Contestant&)>;

struct Candidate {
  std::string label = {};
  record::Interval value = {};     ///< of Advice::figure, over runs
  std::optional<double> p50 = {};  ///< of Advice::operation, ns, as recorded; nothing where samples do not carry it
  std::optional<double> p99 = {};  ///< likewise
  std::optional<record::Interval> cost = {};  ///< of Advice::cost
  std::optional<double> copies = {};  ///< copied bytes per payload byte, both ends; nothing where no payload counts
  std::vector<Demand::Need> needs = {};
  std::optional<record::Interval> ratio = {};  ///< to the one that is taken, within rounds; nothing of that one itself
  bool alike = false;                          ///< nobody is better beyond chance
};

struct Absent {
  std::string label = {};
  std::string status = {};  ///< "unavailable", "failed"
  std::string reason = {};
  std::string hint = {};
};

struct Advice {
  Goal goal = Goal::goodput;
  std::string figure = {};     ///< that they are ranked by: "goodput", "latency.p50" …
  std::string unit = {};       ///< of records: "bit/s", "ns" …
  std::string operation = {};  ///< whose latency it is; empty for other goals
  std::string cost = {};    ///< the figure of CPU time: "cpu.machine_per_gib"; as the goal is cpu, the same as `figure`
  std::string take = {};    ///< label
  std::string answer = {};  ///< in a sentence
  std::vector<Candidate> candidates = {};  ///< best first
  std::vector<std::string> against = {};   ///< what speaks against the one that is taken
  std::vector<Absent> absent = {};         ///< who was not measured, and why
  std::vector<std::string> besides = {};   ///< who leads over other links
  Sureness sureness = Sureness::low;
  std::vector<std::string> because = {};  ///< what that rests on, and what would have to be known
  const Experiment* experiment = nullptr;
  std::vector<Difference> differences = {};
};

/// From what nearest() or measured() found, which must stay where it is. Fault::usage when the workload has nothing
/// that the goal asks for, Fault::missing when nobody was measured.
Result<Advice> advise(const Nearest& nearest, const Here& here, Goal goal, const DemandOf& demand_of);

/// What is asked of an experiment when nobody says it.
Goal usual_goal(const record::Workload& workload);

/// For people: the answer first. Ends in a newline.
std::string advice_text(const Advice& advice, const report::Style& style);
nlohmann::json advice_json(const Advice& advice);

}  // namespace waggle::answers
