// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "harness/answers/comparison.hpp"
#include "harness/record/metric.hpp"
#include "harness/report/figures.hpp"
#include "harness/report/grid.hpp"
#include "harness/report/record_text.hpp"

namespace waggle::answers {
namespace {

using report::Figure;

constexpr const char* kNothing = "–";

/// How a figure is shown: what people call it, and the factor from the record's unit to theirs.
struct Shown {
  std::string_view name;
  std::string_view heading;
  std::string_view unit;
  double factor = 1;
  bool interval = false;
};

constexpr auto kBulk = std::to_array<Shown>({
    {"goodput", "goodput", "Gbit/s", 1e-9, true},
    {"cpu.per_gib", "CPU", "s/GiB", 1, true},
    {"cpu.machine_per_gib", "all CPUs", "s/GiB"},
    {"mode_switches_per_mib", "mode switches", "1/MiB"},
    {"context_switches_per_mib", "context switches", "1/MiB"},
    {"retransmissions", "retransmitted", ""},
});
constexpr auto kOperations = std::to_array<Shown>({
    {"operations", "operations", "1/s", 1, true},
    {"latency.p50", "p50", "µs", 1e-3},
    {"latency.p99", "p99", "µs", 1e-3},
    {"latency.p999", "p99.9", "µs", 1e-3},
    {"cpu.per_operation", "CPU", "µs", 1, true},
    {"mode_switches_per_operation", "mode switches", ""},
    {"context_switches_per_operation", "context switches", ""},
});
constexpr auto kIdle = std::to_array<Shown>({
    {"cpu.share", "CPU", "%", 100, true},
    {"cpu.machine_share", "all CPUs", "%", 100},
    {"mode_switches", "mode switches", ""},
    {"context_switches", "context switches", ""},
});

std::vector<Shown> shown_for(const record::Record& record) {
  const auto list = [](const auto& all) { return std::vector<Shown>(all.begin(), all.end()); };
  return record.workload.idle ? list(kIdle) : record.workload.bulk ? list(kBulk) : list(kOperations);
}

/// How often each operation was timed, by all contestants together.
std::map<std::string, std::uint64_t> operations_in(const Experiment& experiment) {
  std::map<std::string, std::uint64_t> counts;
  for (const auto* contestant : experiment.contestants) {
    for (const auto& [operation, distribution] : contestant->summary->latency_ns) {
      counts[operation] += distribution.count;
    }
  }
  return counts;
}

/// The one whose latency is shown, the same for all: the most frequent one, of equals the first.
std::string main_operation(const std::map<std::string, std::uint64_t>& counts) {
  const auto most = std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  return most == counts.end() ? std::string() : most->first;
}

/// The figure of all parties, at both places.
const Figure* find(const std::vector<Figure>& figures, std::string_view name, std::string_view of) {
  const auto found = std::ranges::find_if(figures, [&](const Figure& figure) {
    return figure.name == name && !figure.party && !figure.place && figure.of == of;
  });
  return found == figures.end() ? nullptr : &*found;
}

const Figure* copies_of(const std::vector<Figure>& figures, record::Role role) {
  const auto found = std::ranges::find_if(
      figures, [&](const Figure& figure) { return figure.name == "copies" && figure.party == role && !figure.place; });
  return found == figures.end() ? nullptr : &*found;
}

/// The contestants of an experiment, the best first; equals by label.
std::vector<const record::Contestant*> ranked(const Experiment& experiment) {
  auto rows = experiment.contestants;
  const auto& workload = experiment.record().workload;
  const auto figure = [&](const record::Contestant* one) { return record::metric(workload, *one->summary).median; };
  std::vector<std::pair<double, const record::Contestant*>> keyed;
  for (const auto* row : rows) {
    keyed.emplace_back(record::is_better(workload, 1, 0) ? -figure(row) : figure(row), row);
  }
  // `rows` are in the order of their labels.
  std::vector<std::size_t> order(rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(keyed[i].first, i); });
  for (std::size_t i = 0; i < order.size(); ++i) {
    rows[i] = keyed[order[i]].second;
  }
  return rows;
}

std::vector<record::Role> roles_in(const Experiment& experiment) {
  std::vector<record::Role> roles;
  for (const auto* contestant : experiment.contestants) {
    for (const auto& party : contestant->parties) {
      if (std::ranges::find(roles, party.role) == roles.end()) {
        roles.push_back(party.role);
      }
    }
  }
  return roles;
}

std::string with_interval(const record::Interval& value, double factor) {
  const auto range = report::interval_text(value, factor);
  return report::format_number(value.median * factor) + (range.empty() ? "" : fmt::format(" ({})", range));
}

}  // namespace

Sheet sheet_of(const Experiment& experiment) {
  const auto& record = experiment.record();
  Sheet sheet{.id = plain_id(experiment.id),
              .caption = fmt::format("{}. {}.", report::headline(record), caption_of(experiment)),
              .columns = {{.heading = "datapath", .unit = {}, .number = false}},
              .rows = {},
              .notes = warnings_of(experiment)};
  const auto shown = shown_for(record);
  const auto roles = record.workload.idle ? std::vector<record::Role>() : roles_in(experiment);
  std::vector<std::vector<Comparison>> comparisons;
  const auto operations = operations_in(experiment);
  const auto operation = main_operation(operations);
  const auto of = [&](const Shown& one) { return one.name.starts_with("latency.") ? operation : std::string(); };
  for (const auto& one : shown) {
    const bool one_of_many = operations.size() > 1 && !of(one).empty();
    sheet.columns.push_back(
        {.heading = one_of_many ? fmt::format("{} of {}", one.heading, operation) : std::string(one.heading),
         .unit = std::string(one.unit)});
    comparisons.push_back(one.interval ? compare(experiment, one.name) : std::vector<Comparison>());
  }
  for (const auto role : roles) {
    sheet.columns.push_back({.heading = fmt::format("copies {}", record::verb(role)), .unit = "B/B"});
  }
  if (!roles.empty()) {
    sheet.columns.push_back({.heading = "grade", .unit = {}, .number = false});
  }
  for (const auto* contestant : ranked(experiment)) {
    const auto figures = report::figures_of(record, *contestant);
    auto& row = sheet.rows.emplace_back();
    row.push_back({.text = contestant->label});
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const auto* const figure = find(figures, shown[i].name, of(shown[i]));
      if (figure == nullptr) {
        row.push_back({.text = kNothing});
      } else if (shown[i].interval) {
        row.push_back({.text = with_interval(figure->value, shown[i].factor),
                       .bold = is_alone_best(experiment, comparisons[i], contestant->label)});
      } else {
        row.push_back({.text = report::format_amount(figure->value.median * shown[i].factor)});
      }
    }
    for (const auto role : roles) {
      const auto* const copies = copies_of(figures, role);
      row.push_back({.text = copies == nullptr ? kNothing : fmt::format("{:.2f}", copies->value.median)});
    }
    if (!roles.empty()) {
      row.push_back({.text = std::string(name(contestant->summary->copies.grade))});
    }
  }
  for (const auto* contestant : experiment.absent) {
    sheet.notes.push_back(fmt::format("{} {}: {}", contestant->label,
                                      contestant->status == record::Status::failed ? "failed" : "cannot run here",
                                      contestant->reason.value_or("")));
  }
  return sheet;
}

}  // namespace waggle::answers
