// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/cli/modes_text.hpp"
#include "harness/cli/placement_text.hpp"
#include "harness/cli/record_text.hpp"
#include "harness/cli/table.hpp"
#include "harness/experiment/metric.hpp"
#include "harness/experiment/statistics.hpp"

namespace waggle::cli {
namespace {

using nlohmann::json;

constexpr double kGiga = 1e-9;
constexpr double kMebi = 1.0 / (1024 * 1024);

/// What pairs are ranked by, the highest first: goodput where payload counts, little CPU where nothing was asked,
/// otherwise operations per second.
double merit(const json& record, const json& pair) {
  const auto& summary = pair.at("summary");
  return is_idle(record)   ? -median_of(summary.at("cpu_share").at("processes"))
         : is_bulk(record) ? median_of(summary.at("goodput_bits_per_second"))
                           : median_of(summary.at("operations_per_second"));
}

/// The pairs that ran over one link.
std::vector<const json*> ranked(const json& record, const std::string& link) {
  std::vector<const json*> pairs;
  for (const auto& pair : record.at("pairs")) {
    if (is_ok(pair) && pair.at("link") == link) {
      pairs.push_back(&pair);
    }
  }
  std::ranges::sort(pairs, [&](const json* a, const json* b) {
    const double of_a = merit(record, *a);
    const double of_b = merit(record, *b);
    return of_a != of_b ? of_a > of_b : a < b;  // neighbours in one array: equals stay in the record's order
  });
  return pairs;
}

/// A count of a whole run, or a rate per operation.
std::string per(double count, double share) {
  return share <= 0 ? "–" : share == 1 ? format_amount(count) : format_number(count / share);
}

double sum_of(const json& per_side) {
  return per_side.at("sender").get<double>() + per_side.at("receiver").get<double>();
}

/// Mode switches of both sides per `share`; a dash when no run was probed.
std::string mode_switches(const json& summary, double share) {
  const auto& switches = summary.at("mode_switches");
  return switches.is_object() ? per(sum_of(switches), share) : "–";
}

std::string context_switches(const json& summary, double share) {
  const auto& switches = summary.at("context_switches");
  return per(sum_of(switches.at("voluntary")) + sum_of(switches.at("involuntary")), share);
}

/// A count of the datapath's own, of both sides; a dash when it does not count that.
std::string counted(const json& summary, const char* name) {
  double sum = 0;
  bool known = false;
  for (const auto& side : summary.at("counters")) {
    known = known || side.contains(name);
    sum += side.value(name, 0.0);
  }
  return known ? format_amount(sum) : "–";
}

/// By our transport or, as far as probes saw it, by TCP.
std::string retransmitted(const json& summary) {
  const auto ours = counted(summary, "retransmissions");
  const auto& tcp = summary.at("tcp_retransmits");
  return ours != "–" || !tcp.is_number() ? ours : format_amount(tcp.get<double>());
}

/// Polls of both sides that found nothing, per second of a timed run; a dash when the datapath does not poll.
std::string empty_polls(const json& record, const json& pair) {
  std::vector<double> rates;
  for (const auto& run : pair.at("runs")) {
    if (!experiment::counts(run, counted_group(record))) {
      continue;
    }
    double polls = 0;
    bool known = false;
    for (const auto* side : {"sender", "receiver"}) {
      const auto& counters = run.at(side).at("counters");
      known = known || counters.contains("empty_polls");
      polls += counters.value("empty_polls", 0.0);
    }
    if (known) {
      rates.push_back(polls / run.at("seconds").get<double>());
    }
  }
  return rates.empty() ? "–" : format_amount(experiment::median(std::move(rates)));
}

/// "0.69 (0.60 – 0.75)": to the best of the table, within rounds; a dash when no round has both.
std::string ratio_text(const json& pair, const json& summary) {
  const auto ratio = summary.value("ratio", json());
  if (!ratio.is_object()) {
    return "–";
  }
  if (ratio.at("to") == pair.at("label")) {
    return "1";
  }
  auto range = interval_text(ratio, 1);
  if (const auto coverage = range.find(" ("); coverage != std::string::npos) {
    range.pop_back();  // one pair of parentheses is enough
    range.replace(coverage, 2, ", ");
  }
  return format_number(median_of(ratio)) + (range.empty() ? "" : fmt::format(" ({})", range));
}

std::string cost_text(const json& cost, const char* whose) {
  return cost.is_object() ? format_number(median_of(cost.at(whose))) : "–";
}

/// The share reached of what the link carries, or of what a bare loop has reached; a dash where nobody knows.
std::string ceiling_text(const json& pair) {
  const auto ceiling = pair.find("ceiling");
  return ceiling == pair.end() ? "–" : format_number(ceiling->at("share").get<double>() * 100);
}

void add_copies(std::vector<Grid::Cell>& row, const json& copies) {
  const auto& total = copies.at("total");
  row.push_back(side_copies_cell(copies.at("sender")));
  row.push_back(side_copies_cell(copies.at("receiver")));
  row.push_back({fmt::format("{:.2f}", total.at("modelled").get<double>()), Ink::faint});
  row.push_back({total.at("grade").get<std::string>(), Ink::plain});
}

constexpr const char* kRatio = "to the best";

Grid bulk_grid(const std::vector<const json*>& pairs) {
  const bool bounded = std::ranges::any_of(pairs, [](const json* pair) { return pair->contains("ceiling"); });
  std::vector<Grid::Column> columns{{.heading = "datapath", .right = false, .keep = 9},
                                    {.heading = "Gbit/s", .keep = 9},
                                    {.heading = "95 % interval", .keep = 8},
                                    {.heading = "runs", .keep = 2},
                                    {.heading = kRatio, .keep = 7}};
  if (bounded) {
    columns.push_back({.heading = "% of ceiling", .keep = 5});
  }
  columns.insert(columns.end(), {{.heading = "CPU s/GiB", .keep = 8},
                                 {.heading = "machine s/GiB", .keep = 3},
                                 {.heading = "copies/B send", .keep = 7},
                                 {.heading = "receive", .keep = 7},
                                 {.heading = "both modelled", .keep = 5},
                                 {.heading = "grade", .right = false, .keep = 6},
                                 {.heading = "mode switches", .keep = 6},
                                 {.heading = "context switches", .keep = 6},
                                 {.heading = "retransmitted", .keep = 4},
                                 {.heading = "empty polls", .keep = 4},
                                 {.heading = "MiB send", .keep = 1},
                                 {.heading = "MiB receive", .keep = 1}});
  Grid grid(std::move(columns));
  for (const json* pair : pairs) {
    const auto& summary = pair->at("summary");
    const auto& goodput = summary.at("goodput_bits_per_second");
    const auto& cost = summary.at("cpu_seconds_per_gib");
    std::vector<Grid::Cell> row{
        {pair->at("label").get<std::string>(), Ink::strong},
        {format_number(median_of(goodput) * kGiga), Ink::good},
        {interval_text(goodput, kGiga), Ink::plain},
        {std::to_string(goodput.at("runs").get<int>()), Ink::plain},
        {ratio_text(*pair, summary), Ink::plain},
    };
    if (bounded) {
      row.push_back({ceiling_text(*pair), Ink::plain});
    }
    row.push_back({cost_text(cost, "processes"), Ink::plain});
    row.push_back({cost_text(cost, "machine"), Ink::plain});
    add_copies(row, summary.at("copies"));
    row.push_back({mode_switches(summary, 1), Ink::plain});
    row.push_back({context_switches(summary, 1), Ink::plain});
    row.push_back({retransmitted(summary), Ink::plain});
    row.push_back({counted(summary, "empty_polls"), Ink::plain});
    for (const auto* side : {"sender", "receiver"}) {
      row.push_back({format_number(summary.at("peak_memory_bytes").at(side).get<double>() * kMebi), Ink::plain});
    }
    grid.add(std::move(row));
  }
  return grid;
}

/// The operation whose latency is shown: the most frequent one.
const json* main_latency(const json& summary) {
  const json* most = nullptr;
  for (const auto& distribution : summary.at("latency_ns")) {
    if (most == nullptr || distribution.at("count") > most->at("count")) {
      most = &distribution;
    }
  }
  return most;
}

Grid operations_grid(const json& record, const std::vector<const json*>& pairs) {
  Grid grid({{.heading = "datapath", .right = false, .keep = 9},
             {.heading = "ops/s", .keep = 9},
             {.heading = "95 % interval", .keep = 8},
             {.heading = "runs", .keep = 2},
             {.heading = kRatio, .keep = 6},
             {.heading = "p50 µs", .keep = 7},
             {.heading = "p99 µs", .keep = 7},
             {.heading = "p99.9 µs", .keep = 4},
             {.heading = "max µs", .keep = 3},
             {.heading = "CPU µs/op", .keep = 8},
             {.heading = "machine µs/op", .keep = 3},
             {.heading = "copies/B send", .keep = 5},
             {.heading = "receive", .keep = 5},
             {.heading = "both modelled", .keep = 2},
             {.heading = "grade", .right = false, .keep = 5},
             {.heading = "mode switches/op", .keep = 6},
             {.heading = "context switches/op", .keep = 6}});
  for (const json* pair : pairs) {
    const auto& summary = pair->at("summary");
    const auto& rate = summary.at("operations_per_second");
    const auto& cost = summary.at("cpu_microseconds_per_operation");
    std::vector<Grid::Cell> row{{pair->at("label").get<std::string>(), Ink::strong},
                                {format_number(median_of(rate)), Ink::good},
                                {interval_text(rate, 1), Ink::plain},
                                {std::to_string(rate.at("runs").get<int>()), Ink::plain},
                                {ratio_text(*pair, summary), Ink::plain}};
    const json* latency = main_latency(summary);
    for (const auto* quantile : {"p50", "p99", "p999", "max"}) {
      const auto value = latency == nullptr ? std::nullopt : quantile_of(*latency, quantile);
      row.push_back({value ? format_number(*value / 1e3) : "–", Ink::plain});
    }
    row.push_back({cost_text(cost, "processes"), Ink::plain});
    row.push_back({cost_text(cost, "machine"), Ink::plain});
    add_copies(row, summary.at("copies"));
    row.push_back({mode_switches(summary, operations_per_run(record, *pair, "probed")), Ink::plain});
    row.push_back({context_switches(summary, operations_per_run(record, *pair, "timed")), Ink::plain});
    grid.add(std::move(row));
  }
  return grid;
}

Grid idle_grid(const json& record, const std::vector<const json*>& pairs) {
  Grid grid({{.heading = "datapath", .right = false, .keep = 9},
             {.heading = "CPU %", .keep = 9},
             {.heading = "95 % interval", .keep = 8},
             {.heading = "runs", .keep = 2},
             {.heading = kRatio, .keep = 6},
             {.heading = "server %", .keep = 7},
             {.heading = "client %", .keep = 7},
             {.heading = "machine %", .keep = 8},
             {.heading = "empty polls/s", .keep = 6},
             {.heading = "mode switches", .keep = 5},
             {.heading = "context switches", .keep = 5}});
  for (const json* pair : pairs) {
    const auto& summary = pair->at("summary");
    const auto& share = summary.at("cpu_share");
    std::vector<Grid::Cell> row{{pair->at("label").get<std::string>(), Ink::strong},
                                {format_number(median_of(share.at("processes")) * 100), Ink::good},
                                {interval_text(share.at("processes"), 100), Ink::plain},
                                {std::to_string(share.at("processes").at("runs").get<int>()), Ink::plain},
                                {ratio_text(*pair, summary), Ink::plain}};
    for (const auto* whose : {"sender", "receiver", "machine"}) {
      row.push_back({format_number(median_of(share.at(whose)) * 100), Ink::plain});
    }
    row.push_back({empty_polls(record, *pair), Ink::plain});
    row.push_back({mode_switches(summary, 1), Ink::plain});
    row.push_back({context_switches(summary, 1), Ink::plain});
    grid.add(std::move(row));
  }
  return grid;
}

/// Which of the pairs has which congestion control; empty when all have the same, which the modes then say.
std::string congestion_remark(const std::vector<const json*>& pairs, const Style& style) {
  std::map<std::string, std::vector<std::string>> by_name;
  for (const json* pair : pairs) {
    by_name[congestion_text(*pair)].push_back(pair->at("label").get<std::string>());
  }
  if (by_name.size() == 1) {
    return "";
  }
  std::vector<std::string> parts;
  for (const auto& [name, labels] : by_name) {
    parts.push_back(fmt::format("{} of {}", name, fmt::join(labels, ", ")));
  }
  const auto line = fmt::format("Congestion control differs: {}.", fmt::join(parts, "; "));
  return "\n" + paint(style, Ink::warning, wrap(style, line, 2)) + "\n";
}

/// Whose runs were alike beyond chance when they came after each other; empty when nobody's were.
std::string drift_remark(const json& record, const std::vector<const json*>& pairs, const Style& style) {
  std::vector<std::string> labels;
  for (const json* pair : pairs) {
    const auto& summary = pair->at("summary");
    if (has_drifted(is_idle(record)   ? summary.at("cpu_share").at("processes")
                    : is_bulk(record) ? summary.at("goodput_bits_per_second")
                                      : summary.at("operations_per_second"))) {
      labels.push_back(pair->at("label").get<std::string>());
    }
  }
  const auto line =
      fmt::format("The machine drifted, so intervals were widened: {}. Ratios within rounds do not feel it.",
                  fmt::join(labels, ", "));
  return labels.empty() ? "" : "\n" + paint(style, Ink::warning, wrap(style, line, 2)) + "\n";
}

std::string disagreement_text(const std::vector<const json*>& pairs, const Style& style) {
  std::string lines;
  for (const json* pair : pairs) {
    for (const auto& line : disagreements(*pair)) {
      lines += "  " + wrap(style, line, 4) + "\n";
    }
  }
  const auto* title = "Measured and modelled copies disagree by more than 5 %:";
  return lines.empty() ? "" : "\n" + paint(style, Ink::warning, title) + "\n" + lines;
}

/// One link: its pairs in one table, and what they had in common.
std::string link_table(const json& record, const std::string& link, const Style& style) {
  const auto pairs = ranked(record, link);
  if (pairs.empty()) {
    return "";
  }
  const Grid grid = is_idle(record)   ? idle_grid(record, pairs)
                    : is_bulk(record) ? bulk_grid(pairs)
                                      : operations_grid(record, pairs);
  std::string text;
  if (links_of(record).size() > 1) {
    text += "\n" + paint(style, Ink::strong, fmt::format("Over {}", link_text(record, link))) + "\n";
  }
  return text + "\n" + grid.text(style) + placement_text(record, style) + drift_remark(record, pairs, style) +
         table_modes(record, link, pairs, style) + congestion_remark(pairs, style) + disagreement_text(pairs, style);
}

std::string legend(const json& record, const Style& style) {
  const auto seed = record.at("spec").at("seed").get<std::uint64_t>();
  if (is_idle(record)) {
    return wrap(style,
                fmt::format("Medians, least first, in percent of one CPU: server + client, and all CPUs with softirq. "
                            "To the best: median of the ratios within rounds, with its interval. Mode and context "
                            "switches are per run. The runs came in random order, seed {}.",
                            seed),
                0) +
           "\n";
  }
  return wrap(style,
              fmt::format("Medians{}, best first, of runs that were verified to the last byte. CPU: sender + receiver; "
                          "machine: all CPUs, softirq included. To the best: median of the ratios within rounds, with "
                          "its interval. The runs came in random order, seed {}.{}",
                          is_bulk(record) ? " per run" : "", seed,
                          links_of(record).size() > 1 ? " Figures of different links do not compare." : ""),
              0) +
         "\n";
}

std::string absent_text(const json& record, const Style& style, const char* status, const char* title, Ink ink) {
  std::string lines;
  for (const auto& pair : record.at("pairs")) {
    if (pair.at("status") == status) {
      const auto hint = pair.value("hint", "");
      const auto line = fmt::format("{}: {}{}{}", pair.at("label").get<std::string>(),
                                    pair.at("reason").get<std::string>(), hint.empty() ? "" : "; ", hint);
      lines += "  " + wrap(style, line, 4) + "\n";
    }
  }
  return lines.empty() ? "" : "\n" + paint(style, ink, title) + "\n" + lines;
}

}  // namespace

std::string compare_table(const json& record, const Style& style) {
  std::string text = wrap(style, headline(record), 2) + "\n" + noise_text(record, style);
  std::string tables;
  for (const auto& link : links_of(record)) {
    tables += link_table(record, link, style);
  }
  for (const auto& other : elsewhere(record)) {
    const auto& placement = other.at("placement");
    const auto& group = placement.at("groups").at(placement.at("counted").get<std::size_t>());
    tables +=
        "\n" + paint(style, Ink::strong, "The same between CPUs that are " + distance_text(group) + " apart") + "\n";
    for (const auto& link : links_of(other)) {
      tables += link_table(other, link, style);
    }
  }
  if (!tables.empty()) {
    text += tables + "\n" + legend(record, style);
  }
  text += absent_text(record, style, "failed", "Failed:", Ink::bad);
  return text + absent_text(record, style, "unavailable", "Left out:", Ink::warning);
}

std::string record_table(const json& record, const Style& style) {
  return record.at("pairs").size() == 1 ? run_table(record, style) : compare_table(record, style);
}

}  // namespace waggle::cli
