// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/doubts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iterator>

#include "base/units.hpp"
#include "harness/answers/comparison.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/report/figures.hpp"
#include "harness/report/grid.hpp"
#include "harness/report/record_text.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::answers {
namespace {

/// Copies per byte by which somebody is worse than another one, so that it is said.
constexpr double kMoreCopies = 0.5;
/// Percentiles of all runs together have no interval: less than this is not said.
constexpr double kLater = 1.1;
/// After so many days a machine may have become another one.
constexpr int kOldDays = 30;

const Candidate& taken(const Advice& advice) {
  return *std::ranges::find(advice.candidates, advice.take, &Candidate::label);
}

const record::Contestant& contestant_taken(const Advice& advice) {
  return **std::ranges::find(advice.experiment->contestants, advice.take,
                             [](const auto* contestant) -> const std::string& { return contestant->label; });
}

/// The one beside which it looks worst by `figure`, beyond chance; empty when it is worse than nobody.
std::string worse_than(const Advice& advice, std::string_view figure, std::string_view of = {}) {
  const auto comparisons = compare(*advice.experiment, figure, of);
  const bool more = report::better(figure) == report::Better::more;
  std::optional<Comparison> worst;
  for (const auto& other : advice.candidates) {
    const auto one = between(comparisons, advice.take, other.label);
    if (!one || !one->differs || (one->ratio.median < 1) != more) {
      continue;
    }
    const bool worse =
        !worst || (more ? one->ratio.median < worst->ratio.median : one->ratio.median > worst->ratio.median);
    worst = worse ? one : worst;
  }
  return worst ? fmt::format("{} {} {}", times_text(worst->ratio), noun_of(figure), worst->b) : "";
}

/// Its slowest answers beside those of others, which a median does not show.
std::string late_answers(const Advice& advice) {
  if (auto worse = worse_than(advice, "latency.p99", advice.operation); !worse.empty()) {
    return worse;
  }
  const auto& mine = taken(advice);
  const Candidate* best = nullptr;
  for (const auto& other : advice.candidates) {
    best = other.p99 && (best == nullptr || *other.p99 < *best->p99) ? &other : best;
  }
  return mine.p99 && best != nullptr && *mine.p99 > kLater * *best->p99
             ? fmt::format("p99 of all its runs together is {}, that of {} {}, without an interval",
                           format_duration_ns(*mine.p99), best->label, format_duration_ns(*best->p99))
             : "";
}

std::string many_copies(const Advice& advice) {
  const auto& mine = taken(advice);
  const Candidate* least = nullptr;
  for (const auto& other : advice.candidates) {
    least = other.copies && (least == nullptr || *other.copies < *least->copies) ? &other : least;
  }
  return mine.copies && least != nullptr && *mine.copies >= *least->copies + kMoreCopies
             ? fmt::format("each byte is copied {:.2f} times, with {} {:.2f} times", *mine.copies, least->label,
                           *least->copies)
             : "";
}

/// What it does in vain or twice, per run.
std::vector<std::string> waste(const Advice& advice) {
  std::vector<std::string> lines;
  for (const auto& figure : report::figures_of(advice.experiment->record(), contestant_taken(advice))) {
    for (const auto& [name, says] :
         {std::pair("empty_polls", "empty poll"), {"retransmissions", "retransmission"}, {"drops", "dropped packet"}}) {
      if (figure.name == name && !figure.party && figure.value.median > 0) {
        lines.push_back(fmt::format("{} {}{} per run", report::format_amount(figure.value.median), says,
                                    figure.value.median == 1 ? "" : "s"));
      }
    }
  }
  return lines;
}

/// Days since 1970 of "2026-11-28T…"; nothing for what is no date.
std::optional<int> day_of(const std::string& time) {
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = -1;
    if (time.size() >= at + digits) {
      std::from_chars(time.data() + at, time.data() + at + digits, value);
    }
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(std::max(number(5, 2), 0))),
                                         std::chrono::day(static_cast<unsigned>(std::max(number(8, 2), 0)))};
  return number(0, 4) > 0 && date.ok()
             ? std::optional(static_cast<int>(std::chrono::sys_days(date).time_since_epoch().count()))
             : std::nullopt;
}

/// Gathers reasons, with the least sureness that any of them leaves.
class Scale {
 public:
  explicit Scale(Advice& advice) : advice_(advice) { advice_.sureness = Sureness::high; }
  void say(std::string reason) { advice_.because.push_back(std::move(reason)); }
  void doubt(Sureness left, std::string reason) {
    advice_.sureness = std::max(advice_.sureness, left);
    say(std::move(reason));
  }

 private:
  Advice& advice_;
};

void weigh_rounds(Scale& scale, const Advice& advice) {
  const auto& experiment = *advice.experiment;
  std::size_t fewest = SIZE_MAX;
  std::size_t most = 0;
  for (const auto* contestant : experiment.contestants) {
    const std::size_t runs = report::counted_runs(experiment.record(), *contestant).size();
    fewest = std::min(fewest, runs);
    most = std::max(most, runs);
  }
  const std::size_t needed = statistics::least_covering(statistics::comparisons_among(experiment.contestants.size()));
  const auto rounds = fewest < most ? fmt::format("{} to {} runs of each", fewest, most)
                                    : fmt::format("{} {} of each", fewest, fewest == 1 ? "run" : "runs");
  if (fewest < needed) {
    scale.doubt(Sureness::low, fmt::format("{}, and {} are needed to tell {} apart with 95 %", rounds, needed,
                                           experiment.contestants.size()));
  } else {
    scale.say(fmt::format("{}; ratios within rounds, whose intervals hold together with 95 %", rounds));
  }
  if (experiment.record().interrupted.value_or(false)) {
    scale.doubt(Sureness::low, "the measurement was interrupted");
  }
}

void weigh_machine(Scale& scale, const Advice& advice, const Here& here) {
  const auto& record = advice.experiment->record();
  for (const auto& warning : warnings_of(*advice.experiment)) {
    // What few runs mean is said, and copies decide nothing.
    if (!warning.starts_with("Too few runs") && !warning.starts_with("Copies")) {
      scale.doubt(Sureness::medium, warning.ends_with('.') ? warning.substr(0, warning.size() - 1) : warning);
    }
  }
  for (const auto& host : record.environment.hosts) {
    if (host.kernel != here.host.kernel) {
      scale.doubt(Sureness::medium,
                  fmt::format("it was measured under Linux {}, and this is {}", host.kernel, here.host.kernel));
      break;
    }
  }
}

void weigh_age(Scale& scale, const Advice& advice, const Here& here) {
  const auto& record = advice.experiment->record();
  const auto made = day_of(record.created);
  const auto now = day_of(here.now);
  if (made && now) {
    const int days = *now - *made;
    const auto when = days <= 0 ? "today" : days == 1 ? "yesterday" : fmt::format("{} days ago", days);
    days > kOldDays ? scale.doubt(Sureness::medium, "measured " + when) : scale.say("measured " + when);
  }
  if (record.git.revision != here.build.revision || record.git.dirty != here.build.dirty) {
    const auto brief = [](const record::Revision& revision) {
      return revision.revision.empty() ? std::string("one that no revision has")
                                       : revision.revision.substr(0, 12) + (revision.dirty ? " with changes" : "");
    };
    scale.doubt(Sureness::medium,
                fmt::format("measured by another build: {}, and this is {}", brief(record.git), brief(here.build)));
  }
}

}  // namespace

std::string_view noun_of(std::string_view figure) {
  return figure == "goodput"                 ? "the goodput of"
         : figure == "operations"            ? "the operations per second of"
         : figure == "latency.p50"           ? "the median latency of"
         : figure == "latency.p99"           ? "the p99 latency of"
         : figure == "latency.mean"          ? "the mean latency of"
         : figure.ends_with("per_gib")       ? "the CPU time per GiB of"
         : figure.ends_with("per_operation") ? "the CPU time per operation of"
                                             : "the CPU time of";
}

std::string amount_text(std::string_view figure, double value) {
  return figure == "goodput"                 ? format_rate(value)
         : figure == "operations"            ? report::format_number(value) + "/s"
         : figure == "latency.p50"           ? format_duration_ns(value) + " median latency"
         : figure == "latency.mean"          ? format_duration_ns(value) + " mean latency"
         : figure.ends_with("per_gib")       ? report::format_number(value) + " s of CPU per GiB"
         : figure.ends_with("per_operation") ? report::format_number(value) + " µs of CPU per operation"
                                             : report::format_number(value * 100) + " % of one CPU";
}

std::vector<std::string> doubts_of(const Advice& advice, const Demand& demand) {
  std::vector<std::string> lines;
  const auto add = [&](std::string line) {
    if (!line.empty()) {
      lines.push_back(std::move(line));
    }
  };
  add(demand.missing.empty() ? "" : "it cannot run here now: " + demand.missing);
  const auto main = report::main_figure(advice.experiment->record());
  add(advice.goal != Goal::cpu ? worse_than(advice, advice.cost) : main != "cpu.share" ? worse_than(advice, main) : "");
  add(advice.goal == Goal::latency ? late_answers(advice) : "");
  std::ranges::move(waste(advice), std::back_inserter(lines));
  add(many_copies(advice));
  return lines;
}

void weigh(Advice& advice, const Here& here) {
  Scale scale(advice);
  weigh_rounds(scale, advice);
  weigh_machine(scale, advice, here);
  for (const auto& difference : advice.differences) {
    scale.doubt(Sureness::medium, difference.text());
  }
  weigh_age(scale, advice, here);
  const auto& link = advice.experiment->link;
  if (!here.networks.contains(link)) {
    scale.say(fmt::format("{} joins two processes of one machine: over a network card the order may be another", link));
  }
}

}  // namespace waggle::answers
