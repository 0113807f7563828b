// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/record/metric.hpp"
#include "harness/report/compare_grid.hpp"
#include "harness/report/modes_text.hpp"
#include "harness/report/placement_text.hpp"
#include "harness/report/record_text.hpp"
#include "harness/report/table.hpp"

namespace waggle::report {
namespace {

/// The contestants that ran over one link, the best first.
Rows ranked(const record::Record& record, const std::string& link) {
  Rows rows;
  for (const auto& contestant : record.contestants) {
    if (contestant.ok() && contestant.link == link) {
      rows.push_back(&contestant);
    }
  }
  const auto figure = [&](const record::Contestant* one) {
    return record::metric(record.workload, *one->summary).median;
  };
  // Equals stay in the record's order, which is that of their addresses.
  std::ranges::sort(rows, [&](const record::Contestant* a, const record::Contestant* b) {
    const bool better = record::is_better(record.workload, figure(a), figure(b));
    return better || (a < b && !record::is_better(record.workload, figure(b), figure(a)));
  });
  return rows;
}

/// Which of them has which congestion control; empty when all have the same, which the modes then say.
std::string congestion_remark(const Rows& rows, const Style& style) {
  std::map<std::string, std::vector<std::string>> by_name;
  for (const auto* contestant : rows) {
    by_name[congestion_text(*contestant)].push_back(contestant->label);
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
std::string drift_remark(const record::Record& record, const Rows& rows, const Style& style) {
  std::vector<std::string> labels;
  for (const auto* contestant : rows) {
    if (has_drifted(record::metric(record.workload, *contestant->summary))) {
      labels.push_back(contestant->label);
    }
  }
  const auto line =
      fmt::format("The machine drifted, so intervals were widened: {}. Ratios within rounds do not feel it.",
                  fmt::join(labels, ", "));
  return labels.empty() ? "" : "\n" + paint(style, Ink::warning, wrap(style, line, 2)) + "\n";
}

std::string disagreement_text(const Rows& rows, const Style& style) {
  std::string lines;
  for (const auto* contestant : rows) {
    for (const auto& line : disagreements(*contestant)) {
      lines += "  " + wrap(style, line, 4) + "\n";
    }
  }
  const auto* title = "Measured and modelled copies disagree by more than 5 %:";
  return lines.empty() ? "" : "\n" + paint(style, Ink::warning, title) + "\n" + lines;
}

/// One link: its contestants in one table, and what they had in common.
std::string link_table(const record::Record& record, const std::string& link, const Style& style) {
  const auto rows = ranked(record, link);
  if (rows.empty()) {
    return "";
  }
  std::string text;
  if (links_of(record).size() > 1) {
    text += "\n" + paint(style, Ink::strong, fmt::format("Over {}", link_text(record, link))) + "\n";
  }
  return text + "\n" + compare_grid(record, rows).text(style) + placement_text(record, style) +
         drift_remark(record, rows, style) + table_modes(record, link, rows, style) + congestion_remark(rows, style) +
         disagreement_text(rows, style);
}

/// "sender + receiver": all that took part.
std::string roles_text(const record::Record& record) {
  std::vector<std::string_view> roles;
  for (const auto& contestant : record.contestants) {
    for (const auto& party : contestant.parties) {
      if (std::ranges::find(roles, name(party.role)) == roles.end()) {
        roles.push_back(name(party.role));
      }
    }
  }
  return fmt::format("{}", fmt::join(roles, " + "));
}

std::string legend(const record::Record& record, const Style& style) {
  const auto seed = record.spec.seed;
  if (record.workload.idle) {
    return wrap(style,
                fmt::format("Medians, least first, in percent of one CPU: server + client, and all CPUs with softirq. "
                            "To the best: median of the ratios within rounds, with its interval. Mode and context "
                            "switches are per run. The runs came in random order, seed {}.",
                            seed),
                0) +
           "\n";
  }
  return wrap(style,
              fmt::format("Medians{}, best first, of runs that were verified to the last byte. CPU: {}; "
                          "machine: all CPUs, softirq included. To the best: median of the ratios within rounds, with "
                          "its interval. The runs came in random order, seed {}.{}",
                          record.workload.bulk ? " per run" : "", roles_text(record), seed,
                          links_of(record).size() > 1 ? " Figures of different links do not compare." : ""),
              0) +
         "\n";
}

std::string absent_text(const record::Record& record, const Style& style, record::Status status, const char* title,
                        Ink ink) {
  std::string lines;
  for (const auto& contestant : record.contestants) {
    if (contestant.status == status) {
      const auto hint = contestant.hint.value_or("");
      const auto line =
          fmt::format("{}: {}{}{}", contestant.label, contestant.reason.value_or(""), hint.empty() ? "" : "; ", hint);
      lines += "  " + wrap(style, line, 4) + "\n";
    }
  }
  return lines.empty() ? "" : "\n" + paint(style, ink, title) + "\n" + lines;
}

}  // namespace

std::string compare_table(const record::Record& record, const Style& style) {
  std::string text = wrap(style, headline(record), 2) + "\n" + noise_text(record, style);
  std::string tables;
  for (const auto& link : links_of(record)) {
    tables += link_table(record, link, style);
  }
  for (const auto& other : elsewhere(record)) {
    const auto distance = distance_text(figures_from(*other.placement));
    tables += "\n" + paint(style, Ink::strong, "The same between CPUs that are " + distance + " apart") + "\n";
    for (const auto& link : links_of(other)) {
      tables += link_table(other, link, style);
    }
  }
  if (!tables.empty()) {
    text += tables + "\n" + legend(record, style);
  }
  text += absent_text(record, style, record::Status::failed, "Failed:", Ink::bad);
  return text + absent_text(record, style, record::Status::unavailable, "Left out:", Ink::warning);
}

std::string record_table(const record::Record& record, const Style& style) {
  return record.contestants.size() == 1 ? run_table(record, style) : compare_table(record, style);
}

}  // namespace waggle::report
