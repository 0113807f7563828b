// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "harness/report/comparable.hpp"
#include "harness/report/figures.hpp"
#include "harness/report/grid.hpp"
#include "harness/statistics/statistics.hpp"
#include "harness/verdict/compare.hpp"
#include "harness/verdict/figure_names.hpp"
#include "harness/verdict/verdict.hpp"

namespace waggle::verdict {
namespace {

/// Distances of CPUs further apart than this are other placements (decision 13).
constexpr double kOtherPlacement = 1.5;

/// The figure that the rule asks for, or why there is none that decides.
struct Asked {
  std::optional<report::Figure> figure;
  std::string problem;
};

/// Why copies of a contestant are only modelled.
std::string unseen(const record::Contestant& one) {
  if (one.probe_problem) {
    return *one.probe_problem;
  }
  for (const auto& run : one.runs) {
    for (const auto& party : run.trace ? run.trace->parties : std::vector<record::PartyTrace>()) {
      if (!party.unseen.empty()) {
        return party.unseen;
      }
    }
  }
  return "no run was probed";
}

Asked figure_for(const Rule& rule, const record::Record& record, const record::Contestant& one) {
  for (auto& figure : report::figures_of(record, one)) {
    const bool asked = figure.name == rule.figure && figure.party == rule.party && figure.place == rule.place &&
                       figure.of == rule.counter;
    if (asked && figure.grade == record::Grade::modelled) {
      return {
          {},
          fmt::format("the copies of {} are only modelled here ({}): that is what we say of it, not what was seen; a "
                      "kernel that lets them be counted would decide",
                      one.label, unseen(one))};
    }
    if (asked) {
      return {std::move(figure), {}};
    }
  }
  return {{},
          fmt::format("the record of {} has no {}: {}", one.label, rule.counter.empty() ? rule.figure : rule.counter,
                      one.probe_problem ? *one.probe_problem : "its workload or its parties have none")};
}

/// The groups of runs by distance of the CPUs that figures come from. Of more than one only ratios within rounds tell
/// anything; records from before placement was told have none.
std::vector<record::PlacementGroup> groups_of(const record::Record& record) {
  if (!record.placement || !record.placement->counted) {
    return record.placement ? record.placement->groups : std::vector<record::PlacementGroup>();
  }
  return {record.placement->groups.at(*record.placement->counted)};
}

/// Why no figure of two records compares, whatever it is; empty when they do.
std::string measured_apart(const Rule& rule, const record::Record& a, const record::Record& b) {
  if (!report::are_of_one_build(a, b)) {
    return fmt::format(
        "the two were measured by different builds of the program; `harness suite {}` would measure both "
        "by one",
        rule.suite);
  }
  // Of two experiments the suite says itself what differs between them.
  std::set<std::string> meant;
  std::ranges::transform(rule.than_at, std::inserter(meant, meant.end()), [](const auto& each) { return each.first; });
  const auto others = rule.than_experiment.empty() ? report::other_settings(a, b, meant) : std::vector<std::string>();
  return others.empty()
             ? std::string()
             : fmt::format("the two were measured with another {}; `harness suite {}` would measure both alike",
                           fmt::join(others, ", "), rule.suite);
}

/// Why figures that vary with the machine do not compare in two records; empty when they do.
std::string ran_apart(const record::Record& a, const record::Record& b) {
  const auto kernels = [](const record::Record& record) {
    std::vector<std::string> all;
    std::ranges::transform(record.environment.hosts, std::back_inserter(all), &record::Host::kernel);
    return all;
  };
  if (kernels(a) != kernels(b)) {
    return "the two were measured on different kernels";
  }
  if (!report::are_of_one_machine(a, b)) {
    return "the two were measured on different CPUs";
  }
  auto groups = groups_of(a);
  std::ranges::move(groups_of(b), std::back_inserter(groups));
  std::optional<double> nearest;
  std::optional<double> farthest;
  for (const auto& group : groups) {
    if (group.median_ns) {
      nearest = std::min(nearest.value_or(*group.median_ns), *group.median_ns);
      farthest = std::max(farthest.value_or(0), *group.median_ns);
    }
  }
  if (nearest && *farthest >= kOtherPlacement * *nearest) {
    return fmt::format(
        "the CPUs were {:.0f} ns apart in some of the runs and {:.0f} ns in others, which alone may make the "
        "difference; measuring both again would decide",
        *nearest, *farthest);
  }
  return {};
}

std::string covers(const record::Interval& interval) {
  const double covered = interval.coverage.value_or(statistics::coverage(interval.runs));
  const std::size_t least = statistics::least_covering();
  return interval.runs < least ? fmt::format("{} {} cover {:.3g} %; {} more would cover 95 %", interval.runs,
                                             interval.runs == 1 ? "run" : "runs", covered * 100, least - interval.runs)
                               : "the record has no interval for it";
}

/// "1.34 (1.21 – 1.44)".
std::string with_interval(const std::string& middle, std::optional<double> low, std::optional<double> high,
                          const std::function<std::string(double)>& print) {
  return low && high ? fmt::format("{} ({} – {})", middle, print(*low), print(*high)) : middle;
}

class Judgement {
 public:
  Judgement(const Rule& rule, Records records, const Found& found) : rule_(rule), records_(records), found_(found) {
    result_.says = rule.says;
    Rule here = rule;
    here.at = found.instance.point;
    here.link = found.instance.link;
    result_.rule = text_of(here);
    if (result_.says.empty()) {
      result_.says = result_.rule;
    }
    result_.of = found.of;
    result_.than = found.than;
  }

  RuleResult made() && {
    if (can_be_asked(found_.of, rule_.of) && (!rule_.compares() || can_be_asked(found_.than, other()))) {
      rule_.compares() ? compare() : against_value();
    }
    return std::move(result_);
  }

 private:
  const std::string& other() const { return rule_.than.empty() ? rule_.of : rule_.than; }
  const record::Record& record(const Evidence& evidence) const { return *records_[evidence.record].record; }

  void open(Outcome outcome, std::string why) {
    result_.outcome = outcome;
    result_.why = std::move(why);
  }

  /// Whether there is a whole contestant to ask; says why not.
  bool can_be_asked(const std::optional<Evidence>& evidence, const std::string& label) {
    if (!evidence) {
      open(Outcome::not_shown,
           fmt::format("no record tells of {} there; `harness suite {}` would", label, rule_.suite));
      return false;
    }
    const auto& one = contestant(records_, *evidence);
    if (is_whole(one)) {
      return true;
    }
    const auto reason = one.reason.value_or("the record does not say why");
    if (one.status == record::Status::unavailable) {
      open(Outcome::cannot_run,
           fmt::format("{}: {}{}", label, reason, one.hint && !one.hint->empty() ? "; " + *one.hint : std::string()));
    } else {
      open(Outcome::not_shown, fmt::format("{} failed, so none of its figures counts: {}", label, reason));
    }
    return false;
  }

  std::optional<report::Figure> ask(const Evidence& evidence) {
    auto asked = figure_for(rule_, record(evidence), contestant(records_, evidence));
    if (!asked.figure) {
      open(Outcome::not_shown, std::move(asked.problem));
    }
    return std::move(asked.figure);
  }

  /// What decides: of a figure that varies its interval, of one that is counted what every probed run had.
  std::optional<Range> range_of(const report::Figure& figure) const {
    const double middle = figure.value.median;
    if (varies(rule_.figure)) {
      return deciding(figure.value);
    }
    return figure.extremes
               ? Range{std::min(figure.extremes->low, middle), middle, std::max(figure.extremes->high, middle)}
               : Range::at(middle);
  }

  std::string print(double value) const { return figure_text(rule_.figure, result_.unit, value); }

  void against_value() {
    const auto figure = ask(*found_.of);
    if (!figure) {
      return;
    }
    const auto& value = figure->value;
    result_.value = value.median;
    result_.low = value.low;
    result_.high = value.high;
    result_.unit = figure->unit;
    result_.ours = with_interval(print(value.median), value.low, value.high, [&](double each) { return print(each); });
    if (figure->grade) {
      result_.ours += fmt::format(", {}", record::name(*figure->grade));
    }
    const auto range = range_of(*figure);
    if (!range) {
      return open(Outcome::not_shown, fmt::format("{} is no interval that decides: {}", result_.ours, covers(value)));
    }
    decide({.is = rule_.is, .figure = *range, .bound = Range::at(rule_.value.value()), .within = rule_.within},
           value.runs);
  }

  void compare() {
    const auto a = ask(*found_.of);
    const auto b = a ? ask(*found_.than) : std::nullopt;
    if (!b) {
      return;
    }
    const bool varying = varies(rule_.figure);
    if (found_.of->record != found_.than->record) {
      auto why = measured_apart(rule_, record(*found_.of), record(*found_.than));
      why = why.empty() && varying ? ran_apart(record(*found_.of), record(*found_.than)) : why;
      if (!why.empty()) {
        return open(Outcome::not_shown, std::move(why));
      }
    }
    if (auto ratios = within_rounds(); varying && ratios) {
      result_.paired = true;
      return tell_quotient(*ratios);
    }
    varying ? compare_intervals(a->value, b->value) : compare_counts(*a, *b);
  }

  /// The quotient of both in each round that both have; nothing where there are no such rounds.
  std::optional<record::Interval> within_rounds() const {
    if (found_.of->record != found_.than->record || rule_.party) {
      return std::nullopt;
    }
    const auto& shared = record(*found_.of);
    const auto ours = report::by_round(shared, contestant(records_, *found_.of), rule_.figure);
    const auto theirs = report::by_round(shared, contestant(records_, *found_.than), rule_.figure);
    std::vector<double> ratios;
    for (const auto& [round, value] : ours) {
      if (const auto there = theirs.find(round); there != theirs.end() && there->second != 0) {
        ratios.push_back(value / there->second);
      }
    }
    return ratios.empty() ? std::nullopt : std::optional(statistics::interval_of(ratios));
  }

  static std::string times(double value) { return report::format_number(value); }

  void set_quotient(const Range& quotient, bool exact) {
    result_.value = quotient.middle;
    result_.ours = times(quotient.middle) + " times";
    if (varies(rule_.figure)) {
      result_.ours += " the " + (rule_.counter.empty() ? rule_.figure : rule_.counter);
    }
    if (!exact) {
      result_.low = quotient.low;
      result_.high = quotient.high;
      result_.ours = with_interval(result_.ours, quotient.low, quotient.high, times);
    }
  }

  void tell_quotient(const record::Interval& ratio) {
    const auto range = deciding(ratio);
    set_quotient(range.value_or(Range::at(ratio.median)), !range);
    if (!range) {
      return open(Outcome::not_shown, fmt::format("{} is no interval that decides: {}", result_.ours, covers(ratio)));
    }
    decide({.is = rule_.is, .figure = *range, .bound = Range::at(rule_.times), .within = rule_.within}, ratio.runs);
  }

  void compare_intervals(const record::Interval& a, const record::Interval& b) {
    const auto of = deciding(a);
    const auto than = deciding(b);
    if (!of || !than) {
      return open(Outcome::not_shown, fmt::format("there is no interval that decides: {}", covers(of ? b : a)));
    }
    if (!(than->low > 0)) {
      return open(Outcome::not_shown,
                  fmt::format("{} of {} may be 0, so nothing is a multiple of it", rule_.figure, other()));
    }
    set_quotient(quotient(*of, *than), false);
    decide({.is = rule_.is, .figure = quotient(*of, *than), .bound = Range::at(rule_.times), .within = rule_.within},
           std::min(a.runs, b.runs));
  }

  /// Counts may be 0, so they are compared as they are.
  void compare_counts(const report::Figure& a, const report::Figure& b) {
    if (b.value.median > 0) {
      set_quotient(Range::at(a.value.median / b.value.median), true);
    }
    const auto both = fmt::format("{} against {}", figure_text(a.name, a.unit, a.value.median),
                                  figure_text(b.name, b.unit, b.value.median));
    result_.ours = result_.ours.empty() ? both : fmt::format("{} ({})", result_.ours, both);
    const auto bound = *range_of(b);
    const double factor = rule_.times;
    decide({.is = rule_.is,
            .figure = *range_of(a),
            .bound = {bound.low * factor, bound.middle * factor, bound.high * factor},
            .within = rule_.within},
           a.value.runs);
  }

  void decide(const Comparison& comparison, std::size_t runs) {
    const Outcome outcome = judge(comparison);
    std::string why = outcome == Outcome::not_shown ? would_decide(comparison, runs) : rests_on();
    open(outcome, std::move(why));
  }

  std::string would_decide(const Comparison& comparison, std::size_t runs) const {
    if (!varies(rule_.figure)) {
      const auto range = [&](const Range& one) { return fmt::format("{} to {}", print(one.low), print(one.high)); };
      const bool against = comparison.bound.low < comparison.bound.high;
      return fmt::format("{} leaves both open: single probed runs had from {}{}; a quieter machine may decide",
                         result_.ours, range(comparison.figure),
                         against ? fmt::format(", against {}", range(comparison.bound)) : "");
    }
    const auto more = runs_more(comparison, runs);
    const bool noisy = record(*found_.of).environment.noisy;
    return fmt::format("{} leaves both open; {}{}", result_.ours, noisy ? "a quieter machine would decide, or " : "",
                       more ? fmt::format("about {} {} more would decide", *more, *more == 1 ? "run" : "runs")
                            : "no number of runs that anybody makes tells the two apart");
  }

  std::string rests_on() const {
    std::string why = result_.ours;
    if (rule_.compares() && varies(rule_.figure)) {
      why += result_.paired ? ", paired within rounds" : ", unpaired";
    }
    why += fmt::format(" ({}", records_[found_.of->record].file);
    if (found_.than && found_.than->record != found_.of->record) {
      why += fmt::format(" and {}", records_[found_.than->record].file);
    }
    why += found_.older > 0
               ? fmt::format(", the newest of {} records of this point in which it is whole{})", found_.older + 1,
                             found_.foreign > 0 ? fmt::format("; {} of another machine", found_.foreign) : "")
               : ")";
    return why;
  }

  const Rule& rule_;
  Records records_;
  const Found& found_;
  RuleResult result_;
};

}  // namespace

std::vector<RuleResult> results_of(const Rule& rule, Records records) {
  const auto all = find_evidence(rule, records);
  std::vector<RuleResult> results;
  for (const Found& found : all) {
    results.push_back(Judgement(rule, records, found).made());
  }
  if (results.empty()) {
    RuleResult none;
    none.says = rule.says.empty() ? text_of(rule) : rule.says;
    none.rule = text_of(rule);
    none.why = fmt::format("no record tells of {} in the experiment {}{}; `harness suite {}` would make one", rule.of,
                           rule.experiment, rule.at.empty() ? "" : " at this point", rule.suite);
    results.push_back(std::move(none));
  }
  return results;
}

}  // namespace waggle::verdict
