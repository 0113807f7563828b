// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/units.hpp"
#include "harness/report/modes_text.hpp"
#include "harness/report/party_grid.hpp"
#include "harness/report/placement_text.hpp"
#include "harness/report/record_text.hpp"
#include "harness/report/table.hpp"

namespace waggle::report {
namespace {

/// Width of the first column, so that the parts of a summary line up.
constexpr std::size_t kLabel = 26;

std::string why_stopped(record::Stop stopped) {
  switch (stopped) {
    case record::Stop::interval: return "enough for the interval that is wanted";
    case record::Stop::budget: return "as many as the time allowed";
    case record::Stop::placement: return "then the CPUs had been moved too often";
    case record::Stop::interrupted: return "then the experiment was interrupted";
    case record::Stop::most_runs:
    case record::Stop::no: break;
  }
  return "the most that was allowed";
}

std::string runs_text(std::size_t runs) {
  return runs == 1 ? "1 run" : fmt::format("{} runs", runs);
}

std::string join_notes(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + "; " + b;
}

std::string interval_note(const record::Interval& interval, std::string (*format)(double)) {
  return !interval.low || !interval.high
             ? "too few runs for an interval"
             : fmt::format("{} interval {} – {}{}", coverage_text(interval), format(*interval.low),
                           format(*interval.high), has_drifted(interval) ? ", wider since the machine drifted" : "");
}

/// A share as percent of one CPU.
std::string percent(double share) {
  return fmt::format("{} %", format_number(share * 100));
}

/// "sender 0.084, receiver 0.47": the parts that parties have in a cost.
std::string shares_text(const std::vector<std::pair<record::Role, double>>& shares, std::string (*format)(double)) {
  std::vector<std::string> parts;
  for (const auto& [role, share] : shares) {
    parts.push_back(fmt::format("{} {}", name(role), format(share)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// `of_party`: the member of PartySummary that has the party's part of `cost`.
void add_cost(Grid& grid, const char* label, const record::Summary& summary, const std::optional<record::Cost>& cost,
              std::optional<record::Interval> record::PartySummary::* of_party, const char* unit) {
  if (!cost) {
    return;
  }
  std::vector<std::pair<record::Role, double>> shares;
  for (const auto& party : summary.parties) {
    shares.emplace_back(party.role, (party.*of_party).value_or(record::Interval{}).median);
  }
  grid.add(
      {{label, Ink::strong},
       {fmt::format("{} {}", format_number(cost->processes.median), unit), Ink::plain},
       {fmt::format("{}; whole machine {}", shares_text(shares, format_number), format_number(cost->machine.median)),
        Ink::plain}});
}

/// How far the CPUs were from each other, where the record tells it.
void add_placement(Grid& grid, const record::Record& record) {
  if (tells_placement(record)) {
    grid.add({{"placement", Ink::strong},
              {distance_text(figures_from(*record.placement)), Ink::plain},
              {placement_note(record), Ink::plain}});
  }
}

Grid totals_grid() {
  return Grid({{.heading = "", .right = false, .keep = 9, .least = kLabel},
               {.heading = "", .right = true, .keep = 9, .least = 12},
               {.heading = "", .right = false, .keep = 8, .wraps = true}});
}

Grid idle_totals(const record::Record& record, const record::Summary& summary, const std::string& runs) {
  Grid grid = totals_grid();
  const auto& share = summary.cpu_share;
  std::vector<std::pair<record::Role, double>> shares;
  for (const auto& party : summary.parties) {
    shares.emplace_back(party.role, party.cpu_share.median);
  }
  grid.add({{"CPU while idle", Ink::strong},
            {percent(share.processes.median), Ink::good},
            {join_notes(fmt::format("{}, whole machine {} of one CPU", shares_text(shares, percent),
                                    percent(share.machine.median)),
                        join_notes(interval_note(share.processes, percent), runs)),
             Ink::plain}});
  add_placement(grid, record);
  return grid;
}

Grid totals(const record::Record& record, const record::Summary& summary,
            const std::optional<record::Ceiling>& ceiling) {
  const auto& goodput = summary.goodput_bits_per_second;
  const auto runs = fmt::format("{}, {}", runs_text(goodput.runs), why_stopped(summary.stopped));
  const bool bulk = record.workload.bulk;
  if (record.workload.idle) {
    return idle_totals(record, summary, runs);
  }
  Grid grid = totals_grid();
  if (!bulk) {
    const auto& operations = summary.operations_per_second;
    grid.add({{"operations", Ink::strong},
              {format_number(operations.median) + " /s", Ink::good},
              {join_notes(interval_note(operations, format_number), runs), Ink::plain}});
  }
  grid.add({{"goodput", Ink::strong},
            {format_rate(goodput.median), bulk ? Ink::good : Ink::plain},
            {join_notes(interval_note(goodput, format_rate), bulk ? runs : ""), Ink::plain}});
  if (bulk && ceiling) {
    grid.add({{"of the ceiling", Ink::strong},
              {percent(ceiling->share), Ink::plain},
              {fmt::format("{}: {}", format_rate(ceiling->goodput_bits_per_second), ceiling->because), Ink::plain}});
  }
  if (bulk) {
    add_cost(grid, "CPU per GiB", summary, summary.cpu_seconds_per_gib, &record::PartySummary::cpu_seconds_per_gib,
             "s");
  } else {
    add_cost(grid, "CPU per operation", summary, summary.cpu_microseconds_per_operation,
             &record::PartySummary::cpu_microseconds_per_operation, "µs");
  }
  grid.add({{"verification", Ink::strong},
            {fmt::format("{:.1f} %", summary.verify_share * 100), Ink::plain},
            {"of the client's time went into hashing", Ink::plain}});
  if (const auto& probing = summary.probe_cost) {
    grid.add({{"probing", Ink::strong},
              {fmt::format("{:+.1f} %", probing->slowdown * 100), Ink::plain},
              {"time of the probed runs, which are not among the timed ones", Ink::plain}});
  }
  add_placement(grid, record);
  return grid;
}

Grid latencies(const record::Summary& summary) {
  Grid grid({{.heading = "latency", .right = false, .keep = 9, .least = kLabel},
             {.heading = "p50", .keep = 8, .least = 12},
             {.heading = "p90", .keep = 5},
             {.heading = "p99", .keep = 7},
             {.heading = "p99.9", .keep = 6},
             {.heading = "max", .keep = 4},
             {.heading = "count", .keep = 3}});
  for (const auto& [operation, distribution] : summary.latency_ns) {
    const Percentiles known = percentiles(distribution);
    std::vector<Grid::Cell> row{{"  " + operation, Ink::plain}};
    for (const auto& value : {known.p50, known.p90, known.p99, known.p999, known.max}) {
      row.push_back({value ? format_duration_ns(*value) : "–", Ink::plain});
    }
    row.push_back({format_count(distribution.count), Ink::plain});
    grid.add(std::move(row));
  }
  return grid;
}

std::string remarks(const record::Contestant& contestant, const Style& style) {
  std::string text;
  const auto add = [&](Ink ink, const std::string& line) { text += paint(style, ink, wrap(style, line, 2)) + "\n"; };
  for (const auto& line : disagreements(contestant)) {
    add(Ink::warning, "Copies disagree with the model by more than 5 %: " + line);
  }
  std::set<std::string> reasons;
  std::set<std::string> unseen;
  for (const auto& run : contestant.runs) {
    if (run.trace) {
      reasons.insert(run.trace->why_not_better);
      for (const auto& party : run.trace->parties) {
        unseen.insert(party.unseen);
      }
    }
  }
  reasons.erase("");
  for (const auto& reason : reasons) {
    add(Ink::faint, "Copies are traced, not counted: " + reason);
  }
  unseen.erase("");
  for (const auto& reason : unseen) {
    add(Ink::faint, "Some copies in the kernel are only modelled: " + reason);
  }
  for (const auto& party : contestant.parties) {
    if (party.model && !party.model->uncounted.empty()) {
      add(Ink::faint, fmt::format("Copies in user space at the {} are only modelled: {}", name(party.role),
                                  party.model->uncounted));
    }
  }
  if (const auto problem = contestant.probe_problem.value_or(""); !problem.empty()) {
    add(Ink::warning, "Not probed, so copies are modelled: " + problem);
  }
  return text.empty() ? "" : "\n" + text;
}

/// What the same runs gave between CPUs at another distance.
std::string other_placements(const record::Record& record, std::size_t index, const Style& style) {
  std::string text;
  for (const auto& other : elsewhere(record)) {
    text += fmt::format("\n{}\n", paint(style, Ink::strong,
                                        fmt::format("The same between CPUs that are {} apart",
                                                    distance_text(figures_from(*other.placement)))));
    text += totals(other, *other.contestants.at(index).summary, {}).text(style);
  }
  return text;
}

/// "sendfile → read_write": what moves the payload, party by party.
std::string title_of(const record::Contestant& contestant) {
  std::vector<std::string> datapaths;
  for (const auto& party : contestant.parties) {
    datapaths.push_back(party.datapath);
  }
  return fmt::format("{}", fmt::join(datapaths, " → "));
}

std::string contestant_text(const record::Record& record, std::size_t index, const Style& style) {
  const auto& contestant = record.contestants.at(index);
  auto title = title_of(contestant);
  if (!contestant.ok()) {
    const auto reason = join_notes(contestant.reason.value_or(""), contestant.hint.value_or(""));
    return paint(style, Ink::bad, wrap(style, fmt::format("{} {}: {}", title, name(contestant.status), reason), 2)) +
           "\n";
  }
  if (links_of(record).size() > 1) {
    title += " over " + link_text(record, contestant.link);
  }
  const auto timed = runs_of(contestant, record::Kind::timed);
  const auto warmups = runs_of(contestant, record::Kind::warmup);
  const auto probed = runs_of(contestant, record::Kind::probed);
  const auto moved = runs_of(contestant, record::Kind::moved);
  std::string text = wrap(style,
                          fmt::format("{}: every byte verified in {} ({} timed, {} warm-up, {} probed{})", title,
                                      runs_text(timed + warmups + probed + moved), timed, warmups, probed,
                                      moved == 0 ? "" : fmt::format(", {} moved", moved)),
                          2);
  if (text.starts_with(title)) {
    text = paint(style, Ink::strong, title) + text.substr(title.size());
  }
  text += "\n\n";
  text += totals(record, *contestant.summary, contestant.ceiling).text(style);
  if (const Grid latency = latencies(*contestant.summary); !latency.empty()) {
    text += "\n" + latency.text(style);
  }
  text += other_placements(record, index, style);
  text += "\n" + party_grid(contestant, kLabel).text(style);
  return text + contestant_modes(record, contestant, style) + remarks(contestant, style);
}

}  // namespace

std::string run_table(const record::Record& record, const Style& style) {
  std::string text = wrap(style, headline(record), 2) + "\n" + noise_text(record, style);
  for (std::size_t index = 0; index < record.contestants.size(); ++index) {
    text += contestant_text(record, index, style);
  }
  return text;
}

}  // namespace waggle::report
