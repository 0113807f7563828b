// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/advice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/answers/comparison.hpp"
#include "harness/answers/doubts.hpp"
#include "harness/report/figures.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::answers {
namespace {

using report::Better;

/// Names in a sentence; of more the number.
constexpr std::ptrdiff_t kNamed = 3;

const report::Figure* of_all(const std::vector<report::Figure>& figures, std::string_view name,
                             std::string_view of = {}) {
  const auto found = std::ranges::find_if(figures, [&](const report::Figure& figure) {
    return figure.name == name && figure.of == of && !figure.party && !figure.place;
  });
  return found == figures.end() ? nullptr : &*found;
}

/// The operation that most of the time went into; empty when none has a latency.
std::string busiest_operation(const Experiment& experiment) {
  std::map<std::string, double> spent;
  for (const auto* contestant : experiment.contestants) {
    for (const auto& [operation, latency] : contestant->summary->latency_ns) {
      spent[operation] += static_cast<double>(latency.count) * latency.mean;
    }
  }
  const auto most = std::ranges::max_element(spent, {}, [](const auto& each) { return each.second; });
  return most == spent.end() ? "" : most->first;
}

/// Whether `holds` of every run that counts.
bool in_all_runs(const Experiment& experiment, const std::function<bool(const record::Run&)>& holds) {
  return std::ranges::all_of(experiment.contestants, [&](const auto* contestant) {
    const auto runs = report::counted_runs(experiment.record(), *contestant);
    return !runs.empty() && std::ranges::all_of(runs, [&](const auto* run) { return holds(*run); });
  });
}

/// CPU time at equal work: of the whole machine where that was recorded, since softirq is billed to no process.
std::string cost_figure(const Experiment& experiment) {
  const auto& workload = experiment.record().workload;
  const char* at = workload.idle ? "share" : workload.bulk ? "per_gib" : "per_operation";
  const bool machine = in_all_runs(experiment, [](const record::Run& run) { return run.machine.busy_s > 0; });
  return fmt::format("cpu.{}{}", machine ? "machine_" : "", at);
}

/// What an experiment is ranked by.
Result<Advice> ranked_by(const Experiment& experiment, Goal goal) {
  const auto& record = experiment.record();
  Advice advice{.goal = goal, .cost = cost_figure(experiment), .experiment = &experiment};
  if (goal == Goal::cpu) {
    advice.figure = advice.cost;
  } else if (record.workload.idle) {
    return fail(Fault::usage,
                fmt::format("{} asks nothing of a datapath: it has no {}", record.spec.workload, word_of(goal)),
                "choose --goal=cpu");
  } else if (goal == Goal::goodput) {
    advice.figure = report::main_figure(record);
  } else {
    advice.operation = busiest_operation(experiment);
    if (advice.operation.empty()) {
      return fail(Fault::usage, fmt::format("no latency of {} was recorded", record.spec.workload),
                  "choose --goal=goodput or --goal=cpu");
    }
    // Runs of a few operations have no median of their own.
    const bool medians = in_all_runs(experiment, [&](const record::Run& run) {
      return report::in_run(run, "latency.p50", advice.operation).has_value();
    });
    advice.figure = medians ? "latency.p50" : "latency.mean";
  }
  advice.unit = report::unit_of(advice.figure);
  return advice;
}

/// The figure that decides, over runs.
std::optional<record::Interval> value_in(const Advice& advice, const record::Contestant& contestant,
                                         const std::vector<report::Figure>& figures) {
  if (const auto* figure = of_all(figures, advice.figure)) {
    return figure->value;
  }
  std::vector<double> values;
  for (const auto* run : report::counted_runs(advice.experiment->record(), contestant)) {
    if (const auto value = report::in_run(*run, advice.figure, advice.operation)) {
      values.push_back(*value);
    }
  }
  return values.empty() ? std::nullopt : std::optional(statistics::interval_of(values));
}

std::optional<Candidate> candidate_of(const Advice& advice, const record::Contestant& contestant,
                                      const Demand& demand) {
  const auto figures = report::figures_of(advice.experiment->record(), contestant);
  const auto value = value_in(advice, contestant, figures);
  if (!value) {
    return std::nullopt;
  }
  const auto median = [&](std::string_view name, std::string_view of = {}) {
    const auto* figure = of_all(figures, name, of);
    return figure == nullptr ? std::nullopt : std::optional(figure->value.median);
  };
  const auto* cost = of_all(figures, advice.cost);
  return Candidate{.label = contestant.label,
                   .value = *value,
                   .p50 = advice.operation.empty() ? std::nullopt : median("latency.p50", advice.operation),
                   .p99 = advice.operation.empty() ? std::nullopt : median("latency.p99", advice.operation),
                   .cost = cost == nullptr ? std::nullopt : std::optional(cost->value),
                   .copies = advice.experiment->record().workload.bulk ? median("copies") : std::nullopt,
                   .needs = demand.needs};
}

/// All that can be advised, best first; who was not measured, or is none to take, with the reason.
void rank(Advice& advice, const DemandOf& demand_of) {
  const auto& experiment = *advice.experiment;
  for (const auto* contestant : experiment.contestants) {
    const auto demand = demand_of(experiment.record(), *contestant);
    auto candidate = demand.demonstrates ? std::nullopt : candidate_of(advice, *contestant, demand);
    if (candidate) {
      advice.candidates.push_back(*std::move(candidate));
    } else {
      advice.absent.push_back({.label = contestant->label,
                               .status = "left out",
                               .reason = demand.demonstrates
                                             ? "it shows or tests something, and is no way to move files"
                                             : "its record has nothing to rank it by"});
    }
  }
  for (const auto* contestant : experiment.absent) {
    advice.absent.push_back({.label = contestant->label,
                             .status = std::string(name(contestant->status)),
                             .reason = contestant->reason.value_or(""),
                             .hint = contestant->hint.value_or("")});
  }
  const bool more = report::better(advice.figure) == Better::more;
  std::ranges::sort(advice.candidates, [&](const Candidate& a, const Candidate& b) {
    const double first = more ? b.value.median : a.value.median;
    const double second = more ? a.value.median : b.value.median;
    return first != second ? first < second : a.label < b.label;
  });
}

/// Whether `a` has the better of `figure` than `b`, beyond chance.
bool beats(const std::vector<Comparison>& comparisons, std::string_view figure, const Candidate& a,
           const Candidate& b) {
  const auto one = between(comparisons, a.label, b.label);
  return one && one->differs && (one->ratio.median > 1) == (report::better(figure) == Better::more);
}

/// Who is beaten by nobody cannot be told apart from the best, and none of these from another. Ratios of rounds may
/// beat in a ring, where medians decide.
void mark_alike(Advice& advice, const std::vector<Comparison>& comparisons) {
  auto& all = advice.candidates;
  for (auto& one : all) {
    one.alike = std::ranges::none_of(
        all, [&](const Candidate& other) { return beats(comparisons, advice.figure, other, one); });
  }
  if (std::ranges::none_of(all, &Candidate::alike)) {
    all.front().alike = true;
  }
}

/// Why one of several that cannot be told apart is taken.
enum class Reason { alone, needs_less, costs_less, ahead };

struct Choice {
  const Candidate* taken = nullptr;
  Reason reason = Reason::alone;
};

/// Of those that cannot be told from the best, one that needs least; of these one that costs less, or is better in what
/// was not the goal; otherwise the one that was ahead.
Choice choose(const Advice& advice) {
  std::vector<const Candidate*> alike;
  for (const auto& one : advice.candidates) {
    if (one.alike) {
      alike.push_back(&one);
    }
  }
  const auto fewest =
      (*std::ranges::min_element(alike, {}, [](const auto* one) { return one->needs.size(); }))->needs.size();
  const std::size_t all = alike.size();
  std::erase_if(alike, [&](const auto* one) { return one->needs.size() > fewest; });
  Choice choice{.taken = alike.front(),
                .reason = all == 1             ? Reason::alone
                          : alike.size() < all ? Reason::needs_less
                                               : Reason::ahead};
  const auto main = report::main_figure(advice.experiment->record());
  const std::string second = advice.goal != Goal::cpu ? advice.cost : std::string(main);
  const auto seconds = compare(*advice.experiment, second);
  for (const auto* one : alike) {
    if (beats(seconds, second, *one, *choice.taken)) {
      choice = {.taken = one, .reason = Reason::costs_less};
    }
  }
  return choice;
}

/// "splice", "splice and mmap", "splice, mmap, udp and 2 others".
std::string names_text(const std::vector<std::string>& names) {
  if (names.size() == 1) {
    return names.front();
  }
  if (std::ssize(names) > kNamed + 1) {
    return fmt::format("{} and {} others", fmt::join(names.begin(), names.begin() + kNamed, ", "),
                       std::ssize(names) - kNamed);
  }
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

std::string_view reason_text(Reason reason, Goal goal) {
  return reason == Reason::needs_less   ? "and it needs less"
         : reason == Reason::costs_less ? goal == Goal::cpu ? "and it moves more" : "and it takes less CPU time"
                                        : "and it was ahead by no more than chance";
}

std::string answer_of(const Advice& advice, const Choice& choice, const std::vector<Comparison>& comparisons) {
  const auto& mine = *choice.taken;
  const auto at = advice.goal == Goal::cpu || !mine.cost
                      ? std::string()
                      : fmt::format(", at {}", amount_text(advice.cost, mine.cost->median));
  const auto does = amount_text(advice.figure, mine.value.median) + at;
  if (advice.candidates.size() == 1) {
    return fmt::format("Take {}, {}: nothing else was measured.", mine.label, does);
  }
  if (std::ranges::none_of(comparisons, [](const Comparison& one) {
        return one.ratio.low && one.ratio.coverage.value_or(0) >= statistics::kConfidence;
      })) {
    return fmt::format("Take {} for now, {}: too few runs to tell anybody apart.", mine.label, does);
  }
  std::vector<std::string> alike;
  const Candidate* next = nullptr;
  for (const auto& one : advice.candidates) {
    if (one.alike && &one != &mine) {
      alike.push_back(one.label);
    }
    if (next == nullptr && beats(comparisons, advice.figure, mine, one)) {
      next = &one;
    }
  }
  std::vector<std::string> parts;
  if (!alike.empty()) {
    parts.push_back(
        fmt::format("{} cannot be told apart from it, {}", names_text(alike), reason_text(choice.reason, advice.goal)));
  }
  if (next != nullptr) {
    const auto ratio = between(comparisons, mine.label, next->label)->ratio;
    parts.push_back(fmt::format("{} {} {}, the next", times_text(ratio), noun_of(advice.figure), next->label));
  }
  return parts.empty() ? fmt::format("Take {}, {}.", mine.label, does)
                       : fmt::format("Take {}, {}: {}.", mine.label, does, fmt::join(parts, "; "));
}

/// Who leads over another link, whose figures do not compare with these.
std::string leader_text(const Experiment& experiment, Goal goal, const DemandOf& demand_of) {
  auto other = ranked_by(experiment, goal);
  if (!other) {
    return "";
  }
  rank(*other, demand_of);
  if (other->candidates.empty()) {
    return "";
  }
  const auto& best = other->candidates.front();
  std::vector<std::string_view> needs;
  std::ranges::transform(best.needs, std::back_inserter(needs), &Demand::Need::kind);
  return fmt::format("over {} {}: {}{}", experiment.link, best.label, amount_text(other->figure, best.value.median),
                     needs.empty() ? "" : fmt::format(", needs {}", fmt::join(needs, ", ")));
}

}  // namespace

Goal usual_goal(const record::Workload& workload) {
  return workload.idle ? Goal::cpu : Goal::goodput;
}

Result<Advice> advise(const Nearest& nearest, const Here& here, Goal goal, const DemandOf& demand_of) {
  if (nearest.experiment == nullptr) {
    return fail(Fault::missing, "nothing was measured that could be advised", "see harness doctor");
  }
  const Experiment& experiment = *nearest.experiment;
  WAGGLE_LET(advice, ranked_by(experiment, goal));
  advice.differences = nearest.differences;
  rank(advice, demand_of);
  if (advice.candidates.empty()) {
    return fail(Fault::missing, "nothing was measured that could be advised", "see harness doctor");
  }
  const auto comparisons = compare(experiment, advice.figure, advice.operation);
  mark_alike(advice, comparisons);
  const Choice choice = choose(advice);
  advice.take = choice.taken->label;
  for (auto& one : advice.candidates) {
    const auto ratio = between(comparisons, one.label, advice.take);
    one.ratio = ratio ? std::optional(ratio->ratio) : std::nullopt;
  }
  advice.answer = answer_of(advice, choice, comparisons);
  const auto its = std::ranges::find(experiment.contestants, advice.take,
                                     [](const auto* one) -> const std::string& { return one->label; });
  advice.against = doubts_of(advice, demand_of(experiment.record(), **its));
  for (const auto* other : nearest.others) {
    if (auto line = leader_text(*other, goal, demand_of); !line.empty()) {
      advice.besides.push_back(std::move(line));
    }
  }
  weigh(advice, here);
  return advice;
}

}  // namespace waggle::answers
