// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/compare_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "harness/record/metric.hpp"
#include "harness/report/placement_text.hpp"
#include "harness/report/record_text.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::report {
namespace {

constexpr double kGiga = 1e-9;
constexpr double kMebi = 1.0 / (1024 * 1024);
constexpr const char* kRatio = "to the best";

/// A count of a whole run, or a rate per operation.
std::string per(double count, double share) {
  return share <= 0 ? "–" : share == 1 ? format_amount(count) : format_number(count / share);
}

/// Mode switches of all parties per `share`; a dash when no run was probed.
std::string mode_switches(const record::Summary& summary, double share) {
  double sum = 0;
  for (const auto& party : summary.parties) {
    if (!party.mode_switches) {
      return "–";
    }
    sum += *party.mode_switches;
  }
  return per(sum, share);
}

std::string context_switches(const record::Summary& summary, double share) {
  double sum = 0;
  for (const auto& party : summary.parties) {
    sum += party.context_switches.voluntary + party.context_switches.involuntary;
  }
  return per(sum, share);
}

/// The sum of a counter over what has counters (parties, or their summaries); nothing when none has that one.
template <typename Parties, typename CountersOf>
std::optional<double> sum_of(const Parties& parties, const std::string& counter, const CountersOf& counters_of) {
  std::optional<double> sum;
  for (const auto& party : parties) {
    const auto& counters = counters_of(party);
    if (const auto found = counters.find(counter); found != counters.end()) {
      sum = sum.value_or(0) + static_cast<double>(found->second);
    }
  }
  return sum;
}

/// A count of the datapath's own, of all parties; nothing when it does not count that.
std::optional<double> counted(const record::Summary& summary, const char* name) {
  return sum_of(summary.parties, name,
                [](const record::PartySummary& party) -> const record::Amounts& { return party.counters; });
}

std::string amount_text(std::optional<double> amount) {
  return amount ? format_amount(*amount) : "–";
}

/// By our transport or, as far as probes saw it, by TCP.
std::string retransmitted(const record::Summary& summary) {
  const auto ours = counted(summary, "retransmissions");
  return amount_text(ours ? ours : summary.tcp_retransmits);
}

/// Polls of all parties that found nothing, per second of a timed run; a dash when the datapath does not poll.
std::string empty_polls(const record::Record& record, const record::Contestant& contestant) {
  std::vector<double> rates;
  for (const auto& run : contestant.runs) {
    if (!record::counts(run, counted_group(record))) {
      continue;
    }
    const auto polls = sum_of(run.parties, "empty_polls",
                              [](const record::Party& party) -> const record::Counts& { return party.usage.counters; });
    if (polls) {
      rates.push_back(*polls / run.seconds);
    }
  }
  return rates.empty() ? "–" : format_amount(statistics::median(std::move(rates)));
}

/// "0.69 (0.60 – 0.75)": to the best of the table, within rounds; a dash when no round has both.
std::string ratio_text(const record::Contestant& contestant) {
  const auto& ratio = contestant.summary->ratio;
  if (!ratio) {
    return "–";
  }
  if (ratio->to == contestant.label) {
    return "1";
  }
  auto range = interval_text(ratio->interval, 1);
  if (const auto coverage = range.find(" ("); coverage != std::string::npos) {
    range.pop_back();  // one pair of parentheses is enough
    range.replace(coverage, 2, ", ");
  }
  return format_number(ratio->interval.median) + (range.empty() ? "" : fmt::format(" ({})", range));
}

void add_costs(std::vector<Grid::Cell>& row, const std::optional<record::Cost>& cost) {
  row.push_back({cost ? format_number(cost->processes.median) : "–", Ink::plain});
  row.push_back({cost ? format_number(cost->machine.median) : "–", Ink::plain});
}

/// The share reached of what the link carries, or of what a bare loop has reached; a dash where nobody knows.
std::string ceiling_text(const record::Contestant& contestant) {
  return contestant.ceiling ? format_number(contestant.ceiling->share * 100) : "–";
}

/// The roles that parties of these contestants have, in their order. Each has columns of its own.
std::vector<record::Role> roles_of(const Rows& rows) {
  std::vector<record::Role> roles;
  for (const auto* contestant : rows) {
    for (const auto& party : contestant->parties) {
      if (std::ranges::find(roles, party.role) == roles.end()) {
        roles.push_back(party.role);
      }
    }
  }
  return roles;
}

void add_copies_columns(std::vector<Grid::Column>& columns, const std::vector<record::Role>& roles, unsigned keep,
                        unsigned keep_model, unsigned keep_grade) {
  for (const auto role : roles) {
    columns.push_back({.heading = (role == roles.front() ? "copies/B " : "") + std::string(verb(role)), .keep = keep});
  }
  columns.push_back({.heading = roles.size() == 2 ? "both modelled" : "all modelled", .keep = keep_model});
  columns.push_back({.heading = "grade", .right = false, .keep = keep_grade});
}

void add_copies(std::vector<Grid::Cell>& row, const record::Summary& summary, const std::vector<record::Role>& roles) {
  for (const auto role : roles) {
    const auto* const party = record::find(summary.parties, role);
    row.push_back(party != nullptr ? all_copies_cell(party->copies) : Grid::Cell{"–", Ink::faint});
  }
  row.push_back({fmt::format("{:.2f}", summary.copies.modelled), Ink::faint});
  row.push_back({std::string(name(summary.copies.grade)), Ink::plain});
}

/// What every table begins with: the figure that it is ranked by, with `text` of its median.
std::vector<Grid::Column> first_columns(const char* heading, unsigned keep_ratio) {
  return {{.heading = "datapath", .right = false, .keep = 9},
          {.heading = heading, .keep = 9},
          {.heading = "95 % interval", .keep = 8},
          {.heading = "runs", .keep = 2},
          {.heading = kRatio, .keep = keep_ratio}};
}

std::vector<Grid::Cell> first_cells(const record::Contestant& contestant, const record::Interval& figure,
                                    double factor) {
  return {{contestant.label, Ink::strong},
          {format_number(figure.median * factor), Ink::good},
          {interval_text(figure, factor), Ink::plain},
          {std::to_string(figure.runs), Ink::plain},
          {ratio_text(contestant), Ink::plain}};
}

Grid bulk_grid(const Rows& rows) {
  const bool bounded = std::ranges::any_of(rows, [](const auto* one) { return one->ceiling.has_value(); });
  const auto roles = roles_of(rows);
  auto columns = first_columns("Gbit/s", 7);
  if (bounded) {
    columns.push_back({.heading = "% of ceiling", .keep = 5});
  }
  columns.push_back({.heading = "CPU s/GiB", .keep = 8});
  columns.push_back({.heading = "machine s/GiB", .keep = 3});
  add_copies_columns(columns, roles, 7, 5, 6);
  columns.insert(columns.end(), {{.heading = "mode switches", .keep = 6},
                                 {.heading = "context switches", .keep = 6},
                                 {.heading = "retransmitted", .keep = 4},
                                 {.heading = "empty polls", .keep = 4}});
  for (const auto role : roles) {
    columns.push_back({.heading = fmt::format("MiB {}", verb(role)), .keep = 1});
  }
  Grid grid(std::move(columns));
  for (const auto* contestant : rows) {
    const auto& summary = *contestant->summary;
    auto row = first_cells(*contestant, summary.goodput_bits_per_second, kGiga);
    if (bounded) {
      row.push_back({ceiling_text(*contestant), Ink::plain});
    }
    add_costs(row, summary.cpu_seconds_per_gib);
    add_copies(row, summary, roles);
    row.push_back({mode_switches(summary, 1), Ink::plain});
    row.push_back({context_switches(summary, 1), Ink::plain});
    row.push_back({retransmitted(summary), Ink::plain});
    row.push_back({amount_text(counted(summary, "empty_polls")), Ink::plain});
    for (const auto role : roles) {
      const auto* const party = record::find(summary.parties, role);
      row.push_back({party != nullptr ? format_number(party->peak_memory_bytes * kMebi) : "–", Ink::plain});
    }
    grid.add(std::move(row));
  }
  return grid;
}

/// The operation whose latency is shown: the most frequent one.
Percentiles main_latency(const record::Summary& summary) {
  const record::Distribution* most = nullptr;
  for (const auto& [operation, distribution] : summary.latency_ns) {
    most = most == nullptr || distribution.count > most->count ? &distribution : most;
  }
  return most == nullptr ? Percentiles{} : percentiles(*most);
}

Grid operations_grid(const record::Record& record, const Rows& rows) {
  const auto roles = roles_of(rows);
  auto columns = first_columns("ops/s", 6);
  columns.insert(columns.end(), {{.heading = "p50 µs", .keep = 7},
                                 {.heading = "p99 µs", .keep = 7},
                                 {.heading = "p99.9 µs", .keep = 4},
                                 {.heading = "max µs", .keep = 3},
                                 {.heading = "CPU µs/op", .keep = 8},
                                 {.heading = "machine µs/op", .keep = 3}});
  add_copies_columns(columns, roles, 5, 2, 5);
  columns.insert(columns.end(),
                 {{.heading = "mode switches/op", .keep = 6}, {.heading = "context switches/op", .keep = 6}});
  Grid grid(std::move(columns));
  for (const auto* contestant : rows) {
    const auto& summary = *contestant->summary;
    auto row = first_cells(*contestant, summary.operations_per_second, 1);
    const Percentiles latency = main_latency(summary);
    for (const auto& value : {latency.p50, latency.p99, latency.p999, latency.max}) {
      row.push_back({value ? format_number(*value / 1e3) : "–", Ink::plain});
    }
    add_costs(row, summary.cpu_microseconds_per_operation);
    add_copies(row, summary, roles);
    const auto operations = [&](record::Kind kind) { return operations_per_run(record, *contestant, kind); };
    row.push_back({mode_switches(summary, operations(record::Kind::probed)), Ink::plain});
    row.push_back({context_switches(summary, operations(record::Kind::timed)), Ink::plain});
    grid.add(std::move(row));
  }
  return grid;
}

Grid idle_grid(const record::Record& record, const Rows& rows) {
  auto columns = first_columns("CPU %", 6);
  for (const auto& party : rows.front()->parties) {
    columns.push_back({.heading = party.host + " %", .keep = 7});
  }
  columns.insert(columns.end(), {{.heading = "machine %", .keep = 8},
                                 {.heading = "empty polls/s", .keep = 6},
                                 {.heading = "mode switches", .keep = 5},
                                 {.heading = "context switches", .keep = 5}});
  Grid grid(std::move(columns));
  for (const auto* contestant : rows) {
    const auto& summary = *contestant->summary;
    auto row = first_cells(*contestant, summary.cpu_share.processes, 100);
    for (const auto& party : rows.front()->parties) {
      const auto* const own = record::find(summary.parties, party.role);
      row.push_back({own != nullptr ? format_number(own->cpu_share.median * 100) : "–", Ink::plain});
    }
    row.push_back({format_number(summary.cpu_share.machine.median * 100), Ink::plain});
    row.push_back({empty_polls(record, *contestant), Ink::plain});
    row.push_back({mode_switches(summary, 1), Ink::plain});
    row.push_back({context_switches(summary, 1), Ink::plain});
    grid.add(std::move(row));
  }
  return grid;
}

}  // namespace

Grid compare_grid(const record::Record& record, const Rows& rows) {
  return record.workload.idle   ? idle_grid(record, rows)
         : record.workload.bulk ? bulk_grid(rows)
                                : operations_grid(record, rows);
}

}  // namespace waggle::report
