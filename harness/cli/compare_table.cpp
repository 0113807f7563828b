// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cli/record_text.hpp"
#include "harness/cli/table.hpp"

namespace waggle::cli {
namespace {

using nlohmann::json;

constexpr double kGiga = 1e-9;
constexpr double kMebi = 1.0 / (1024 * 1024);

/// What pairs are ranked by: goodput where payload counts, otherwise operations per second.
double merit(const json& pair, bool bulk) {
  return median_of(pair.at("summary").at(bulk ? "goodput_bits_per_second" : "operations_per_second"));
}

std::vector<const json*> ranked(const json& record) {
  std::vector<const json*> pairs;
  for (const auto& pair : record.at("pairs")) {
    if (is_ok(pair)) {
      pairs.push_back(&pair);
    }
  }
  const bool bulk = is_bulk(record);
  std::ranges::sort(pairs, [&](const json* a, const json* b) {
    const double of_a = merit(*a, bulk);
    const double of_b = merit(*b, bulk);
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

std::string cost_text(const json& cost, const char* whose) {
  return cost.is_object() ? format_number(median_of(cost.at(whose))) : "–";
}

void add_copies(std::vector<Grid::Cell>& row, const json& copies) {
  const auto& total = copies.at("total");
  row.push_back(side_copies_cell(copies.at("sender")));
  row.push_back(side_copies_cell(copies.at("receiver")));
  row.push_back({fmt::format("{:.2f}", total.at("modelled").get<double>()), Ink::faint});
  row.push_back({total.at("grade").get<std::string>(), Ink::plain});
}

Grid bulk_grid(const std::vector<const json*>& pairs) {
  Grid grid({{.heading = "datapath", .right = false, .keep = 9},
             {.heading = "Gbit/s", .keep = 9},
             {.heading = "95 % interval", .keep = 8},
             {.heading = "runs", .keep = 2},
             {.heading = "CPU s/GiB", .keep = 8},
             {.heading = "machine s/GiB", .keep = 3},
             {.heading = "copies/B send", .keep = 7},
             {.heading = "receive", .keep = 7},
             {.heading = "both modelled", .keep = 5},
             {.heading = "grade", .right = false, .keep = 6},
             {.heading = "mode switches", .keep = 6},
             {.heading = "context switches", .keep = 6},
             {.heading = "MiB send", .keep = 1},
             {.heading = "MiB receive", .keep = 1}});
  for (const json* pair : pairs) {
    const auto& summary = pair->at("summary");
    const auto& goodput = summary.at("goodput_bits_per_second");
    const auto& cost = summary.at("cpu_seconds_per_gib");
    std::vector<Grid::Cell> row{{pair->at("label").get<std::string>(), Ink::strong},
                                {format_number(median_of(goodput) * kGiga), Ink::good},
                                {interval_text(goodput, kGiga), Ink::plain},
                                {std::to_string(goodput.at("runs").get<int>()), Ink::plain},
                                {cost_text(cost, "processes"), Ink::plain},
                                {cost_text(cost, "machine"), Ink::plain}};
    add_copies(row, summary.at("copies"));
    row.push_back({mode_switches(summary, 1), Ink::plain});
    row.push_back({context_switches(summary, 1), Ink::plain});
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

Grid operations_grid(const std::vector<const json*>& pairs) {
  Grid grid({{.heading = "datapath", .right = false, .keep = 9},
             {.heading = "ops/s", .keep = 9},
             {.heading = "95 % interval", .keep = 8},
             {.heading = "runs", .keep = 2},
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
                                {std::to_string(rate.at("runs").get<int>()), Ink::plain}};
    const json* latency = main_latency(summary);
    for (const auto* quantile : {"p50", "p99", "p999", "max"}) {
      row.push_back({latency == nullptr ? "–" : format_number(latency->at(quantile).get<double>() / 1e3), Ink::plain});
    }
    row.push_back({cost_text(cost, "processes"), Ink::plain});
    row.push_back({cost_text(cost, "machine"), Ink::plain});
    add_copies(row, summary.at("copies"));
    row.push_back({mode_switches(summary, operations_per_run(*pair, "probed")), Ink::plain});
    row.push_back({context_switches(summary, operations_per_run(*pair, "timed")), Ink::plain});
    grid.add(std::move(row));
  }
  return grid;
}

std::string legend(const json& record, const Style& style) {
  return wrap(style,
              fmt::format("Medians{}, best first, of runs that were verified to the last byte. CPU: sender + receiver; "
                          "machine: all CPUs, softirq included. The runs came in random order, seed {}.",
                          is_bulk(record) ? " per run" : "", record.at("spec").at("seed").get<std::uint64_t>()),
              0) +
         "\n";
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
  const auto pairs = ranked(record);
  std::string text = wrap(style, headline(record), 2) + "\n" + noise_text(record, style);
  if (!pairs.empty()) {
    const Grid grid = is_bulk(record) ? bulk_grid(pairs) : operations_grid(pairs);
    text += "\n" + grid.text(style) + "\n" + legend(record, style) + disagreement_text(pairs, style);
  }
  text += absent_text(record, style, "failed", "Failed:", Ink::bad);
  return text + absent_text(record, style, "unavailable", "Cannot run here:", Ink::warning);
}

std::string record_table(const json& record, const Style& style) {
  return record.at("pairs").size() == 1 ? run_table(record, style) : compare_table(record, style);
}

}  // namespace waggle::cli
