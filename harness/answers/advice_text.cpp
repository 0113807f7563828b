// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/units.hpp"
#include "harness/answers/advice.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/report/grid.hpp"
#include "harness/report/record_text.hpp"
#include "harness/statistics/statistics.hpp"

namespace waggle::answers {
namespace {

using report::Grid;
using report::Ink;

constexpr std::size_t kIndent = 2;

/// How a figure stands in a table: its heading with the unit, and the factor from the record's.
struct Heading {
  std::string heading;
  double factor = 1;
};

Heading heading_of(const std::string& figure) {
  const bool machine = figure.starts_with("cpu.machine");
  return figure == "goodput"           ? Heading{"goodput, Gbit/s", 1e-9}
         : figure == "operations"      ? Heading{"operations, 1/s", 1}
         : figure == "latency.p50"     ? Heading{"median latency, µs", 1e-3}
         : figure == "latency.mean"    ? Heading{"mean latency, µs", 1e-3}
         : figure.ends_with("per_gib") ? Heading{machine ? "CPU of the machine, s/GiB" : "CPU, s/GiB", 1}
         : figure.ends_with("per_operation")
             ? Heading{machine ? "CPU of the machine, µs/operation" : "CPU, µs/operation", 1}
             : Heading{machine ? "CPU of the machine, % of one" : "CPU, % of one", 100};
}

std::string_view rank_text(const std::string& figure) {
  return figure == "goodput"        ? "goodput"
         : figure == "operations"   ? "operations per second"
         : figure == "latency.p50"  ? "median latency"
         : figure == "latency.mean" ? "mean latency"
                                    : "CPU time";
}

std::string cell_of(std::optional<double> value, double factor) {
  return value ? report::format_number(*value * factor) : "–";
}

/// "17.8 (15.1 – 19.2)", "17.8 (15.1 – 19.2, 85.9 %)".
std::string cell_of(const record::Interval& value, double factor) {
  auto number = report::format_number(value.median * factor);
  if (!value.low || !value.high) {
    return number;
  }
  return fmt::format("{} ({} – {}{})", number, report::format_number(*value.low * factor),
                     report::format_number(*value.high * factor),
                     value.coverage.value_or(0) >= statistics::kConfidence ? "" : ", " + report::coverage_text(value));
}

std::string needs_text(const Candidate& candidate) {
  std::vector<std::string_view> kinds;
  std::ranges::transform(candidate.needs, std::back_inserter(kinds), &Demand::Need::kind);
  return kinds.empty() ? "nothing" : fmt::format("{}", fmt::join(kinds, ", "));
}

std::string candidates_text(const Advice& advice, const report::Style& style) {
  const auto main = heading_of(advice.figure);
  const auto cost = heading_of(advice.cost);
  // Where runs have few operations nobody has percentiles.
  const bool latency = std::ranges::any_of(advice.candidates, [](const Candidate& one) { return one.p99.has_value(); });
  const bool costs = advice.goal != Goal::cpu;
  const bool copies =
      std::ranges::any_of(advice.candidates, [](const Candidate& one) { return one.copies.has_value(); });
  std::vector<Grid::Column> columns{{.heading = "", .right = false, .keep = 9},
                                    {.heading = main.heading, .keep = 8},
                                    {.heading = "times " + advice.take, .keep = 7}};
  if (latency) {
    columns.push_back({.heading = "p50, µs", .keep = 5});
    columns.push_back({.heading = "p99, µs", .keep = 6});
  }
  if (costs) {
    columns.push_back({.heading = cost.heading, .keep = 4});
  }
  if (copies) {
    columns.push_back({.heading = "copies", .keep = 2});
  }
  columns.push_back({.heading = "needs", .right = false, .keep = 3});
  Grid grid(std::move(columns));
  for (const auto& one : advice.candidates) {
    const bool taken = one.label == advice.take;
    std::vector<Grid::Cell> row{{.text = one.label, .ink = taken ? Ink::good : Ink::plain},
                                {.text = cell_of(one.value, main.factor)},
                                {.text = taken       ? "1"
                                         : one.ratio ? cell_of(*one.ratio, 1)
                                                     : "–"}};
    if (latency) {
      row.push_back({.text = cell_of(one.p50, 1e-3)});
      row.push_back({.text = cell_of(one.p99, 1e-3)});
    }
    if (costs) {
      row.push_back({.text = cell_of(one.cost ? std::optional(one.cost->median) : std::nullopt, cost.factor)});
    }
    if (copies) {
      row.push_back({.text = one.copies ? fmt::format("{:.2f}", *one.copies) : "–"});
    }
    row.push_back({.text = needs_text(one)});
    grid.add(std::move(row));
  }
  return grid.text(style);
}

/// A title with lines below it; nothing without lines.
std::string section(const report::Style& style, std::string_view title, const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) {
    text += report::wrap(style, std::string(kIndent, ' ') + line, kIndent + 2) + "\n";
  }
  return text.empty() ? "" : fmt::format("\n{}\n{}", report::paint(style, Ink::strong, title), text);
}

const Candidate& candidate_taken(const Advice& advice) {
  return *std::ranges::find(advice.candidates, advice.take, &Candidate::label);
}

template <typename T>
nlohmann::json number_or_null(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

nlohmann::json interval_json(const record::Interval& interval) {
  return {{"median", interval.median},
          {"low", number_or_null(interval.low)},
          {"high", number_or_null(interval.high)},
          {"coverage", number_or_null(interval.coverage)},
          {"n", interval.runs}};
}

nlohmann::json interval_json(const std::optional<record::Interval>& interval) {
  return interval ? interval_json(*interval) : nlohmann::json();
}

nlohmann::json needs_json(const std::vector<Demand::Need>& needs) {
  auto list = nlohmann::json::array();
  for (const auto& need : needs) {
    list.push_back({{"kind", need.kind}, {"what", need.what}});
  }
  return list;
}

}  // namespace

std::string advice_text(const Advice& advice, const report::Style& style) {
  std::string text = report::paint(style, Ink::strong, report::wrap(style, advice.answer, kIndent)) + "\n\n";
  const auto& experiment = *advice.experiment;
  const auto over = report::links_of(experiment.record()).size() > 1
                        ? fmt::format(", over {}", report::link_text(experiment.record(), experiment.link))
                        : "";
  const auto of = advice.operation.empty() ? "" : fmt::format(" of \"{}\"", advice.operation);
  text += report::wrap(style,
                       fmt::format("{}{}; ranked by {}{}", report::headline(experiment.record()), over,
                                   rank_text(advice.figure), of),
                       kIndent) +
          "\n";
  text += candidates_text(advice, style);
  std::vector<std::string> lines;
  for (const auto& need : candidate_taken(advice).needs) {
    lines.push_back(need.what);
  }
  text += section(style, fmt::format("{} needs", advice.take), lines);
  text += section(style, fmt::format("Against {}", advice.take), advice.against);
  text += section(style, "Over other links, whose figures do not compare with these", advice.besides);
  lines.clear();
  for (const auto& one : advice.absent) {
    lines.push_back(
        fmt::format("{}, {}: {}{}{}", one.label, one.status, one.reason, one.hint.empty() ? "" : "; ", one.hint));
  }
  text += section(style, "Not among them", lines);
  text += section(style, fmt::format("How sure: {}", word_of(advice.sureness)), advice.because);
  return text;
}

nlohmann::json advice_json(const Advice& advice) {
  const auto& source = *advice.experiment->source;
  auto candidates = nlohmann::json::array();
  for (const auto& one : advice.candidates) {
    candidates.push_back({{"label", one.label},
                          {"value", interval_json(one.value)},
                          {"ratio", interval_json(one.ratio)},
                          {"alike", one.alike},
                          {"p50", number_or_null(one.p50)},
                          {"p99", number_or_null(one.p99)},
                          {"cpu", interval_json(one.cost)},
                          {"copies", number_or_null(one.copies)},
                          {"needs", needs_json(one.needs)}});
  }
  auto absent = nlohmann::json::array();
  for (const auto& one : advice.absent) {
    absent.push_back({{"label", one.label}, {"status", one.status}, {"reason", one.reason}, {"hint", one.hint}});
  }
  auto differences = nlohmann::json::array();
  for (const auto& one : advice.differences) {
    differences.push_back(
        {{"option", one.option}, {"asked", one.asked}, {"recorded", one.recorded}, {"said", one.said}});
  }
  return {{"take", advice.take},
          {"answer", advice.answer},
          {"goal", word_of(advice.goal)},
          {"figure", advice.figure},
          {"unit", advice.unit},
          {"operation", advice.operation},
          {"cpu_figure", advice.cost},
          {"candidates", std::move(candidates)},
          {"needs", needs_json(candidate_taken(advice).needs)},
          {"against", advice.against},
          {"besides", advice.besides},
          {"absent", std::move(absent)},
          {"sure", {{"level", word_of(advice.sureness)}, {"because", advice.because}}},
          {"record",
           {{"file", source.file},
            {"created", source.record.created},
            {"link", advice.experiment->link},
            {"headline", report::headline(source.record)},
            {"machine", machine_of(source.record)},
            {"differences", std::move(differences)}}}};
}

}  // namespace waggle::answers
