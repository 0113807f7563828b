// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/party_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/units.hpp"
#include "harness/report/record_text.hpp"

namespace waggle::report {
namespace {

/// System calls listed by name; the rest are summed up.
constexpr std::size_t kMostCalls = 8;

struct CallsOfAll {
  std::string name;             ///< "splice file→pipe"
  std::vector<double> parties;  ///< calls of each
  double sum() const { return std::accumulate(parties.begin(), parties.end(), 0.0); }
};

/// System calls of the last probed run, the most frequent first.
std::vector<CallsOfAll> calls_of(const record::Contestant& contestant) {
  const auto& runs = contestant.runs;
  const auto last =
      std::find_if(runs.rbegin(), runs.rend(), [](const record::Run& run) { return run.trace.has_value(); });
  if (last == runs.rend()) {
    return {};
  }
  const auto& parties = last->trace->parties;
  std::map<std::string, std::vector<double>> calls;
  for (std::size_t party = 0; party < parties.size(); ++party) {
    for (const auto& call : parties[party].calls) {
      const auto ends = call.from.empty() && call.to.empty() ? "" : fmt::format(" {}→{}", call.from, call.to);
      auto& counts = calls[call.call + ends];
      counts.resize(contestant.summary->parties.size());
      if (party < counts.size()) {
        counts[party] += static_cast<double>(call.calls);
      }
    }
  }
  std::vector<CallsOfAll> sorted;
  for (auto& [name, counts] : calls) {
    sorted.push_back({name, std::move(counts)});
  }
  std::ranges::sort(sorted, [](const CallsOfAll& a, const CallsOfAll& b) {
    return a.sum() != b.sum() ? a.sum() > b.sum() : a.name < b.name;
  });
  return sorted;
}

void add_calls(Grid& grid, const record::Contestant& contestant) {
  auto calls = calls_of(contestant);
  if (calls.size() > kMostCalls + 1) {
    CallsOfAll rest{fmt::format("{} others", calls.size() - kMostCalls),
                    std::vector<double>(contestant.summary->parties.size())};
    for (std::size_t i = kMostCalls; i < calls.size(); ++i) {
      std::ranges::transform(rest.parties, calls[i].parties, rest.parties.begin(), std::plus<>());
    }
    calls.resize(kMostCalls);
    calls.push_back(std::move(rest));
  }
  for (const auto& call : calls) {
    std::vector<Grid::Cell> row{{"  " + call.name, Ink::faint}};
    for (const double count : call.parties) {
      row.push_back({format_amount(count), Ink::faint});
    }
    grid.add(std::move(row));
  }
}

void add_copies(Grid& grid, const std::vector<record::PartySummary>& parties, record::Place place) {
  std::vector<Grid::Cell> row{{fmt::format("copies per byte, {}", name(place)), Ink::strong}};
  std::vector<Grid::Cell> model{{"  modelled", Ink::faint}};
  std::vector<Grid::Cell> verification{{"  of these to verify", Ink::faint}};
  bool measured = false;
  bool verified = false;
  for (const auto& party : parties) {
    const auto& copies = party.copies.at(place);
    const auto& reread = copies.verification;
    measured = measured || copies.measured;
    verified = verified || reread.value_or(0) >= 0.005;
    row.push_back(copies_cell(copies));
    verification.push_back({reread ? fmt::format("{:.2f}", *reread) : "–", Ink::faint});
    model.push_back({fmt::format("{:.2f}", copies.modelled), Ink::faint});
  }
  grid.add(std::move(row));
  if (verified) {
    grid.add(std::move(verification));
  }
  if (measured) {
    grid.add(std::move(model));
  }
}

using FigureOf = std::function<std::optional<double>(const record::PartySummary& party)>;

/// Nothing when the figure is not known of the parties.
void add_row(Grid& grid, const std::vector<record::PartySummary>& parties, const char* label, const FigureOf& figure,
             std::string (*format)(double)) {
  std::vector<Grid::Cell> row{{label, label[0] == ' ' ? Ink::plain : Ink::strong}};
  for (const auto& party : parties) {
    const auto value = figure(party);
    if (!value) {
      return;
    }
    row.push_back({format(*value), Ink::plain});
  }
  grid.add(std::move(row));
}

double count_of(const record::PartySummary& party, const std::string& counter) {
  const auto found = party.counters.find(counter);
  return found == party.counters.end() ? 0 : found->second;
}

/// What the datapath itself counted, by name; empty polls with their share, since they are no work.
void add_counters(Grid& grid, const std::vector<record::PartySummary>& parties) {
  std::map<std::string, bool> counted;
  for (const auto& party : parties) {
    for (const auto& [name, count] : party.counters) {
      counted[name] = counted[name] || count != 0;
    }
  }
  for (const auto& [name, any] : counted) {
    if (!any) {
      continue;
    }
    std::string label = name;
    std::ranges::replace(label, '_', ' ');
    std::vector<Grid::Cell> row{{label, Ink::strong}};
    for (const auto& party : parties) {
      const double count = count_of(party, name);
      const double full = name == "empty_polls" ? count_of(party, "rx_bursts") : 0;
      row.push_back({full == 0
                         ? format_amount(count)
                         : fmt::format("{} ({:.0f} % of polls)", format_amount(count), count / (full + count) * 100),
                     Ink::plain});
    }
    grid.add(std::move(row));
  }
}

}  // namespace

Grid party_grid(const record::Contestant& contestant, std::size_t label) {
  const auto& parties = contestant.summary->parties;
  std::vector<Grid::Column> columns{{.heading = "per run", .right = false, .keep = 9, .least = label}};
  for (const auto& party : contestant.parties) {
    columns.push_back({.heading = fmt::format("{} ({})", name(party.role), party.host), .keep = 9});
  }
  Grid grid(std::move(columns));
  const auto add = [&](const char* what, const FigureOf& figure, std::string (*format)(double)) {
    add_row(grid, parties, what, figure, format);
  };
  using Of = const record::PartySummary&;
  add_copies(grid, parties, record::Place::kernel);
  add_copies(grid, parties, record::Place::user);
  add("system calls", [](Of party) { return party.system_calls; }, format_amount);
  add_calls(grid, contestant);
  add("mode switches", [](Of party) { return party.mode_switches; }, format_amount);
  add("context switches, voluntary", [](Of party) { return party.context_switches.voluntary; }, format_amount);
  add("  involuntary", [](Of party) { return party.context_switches.involuntary; }, format_amount);
  add("page faults, minor", [](Of party) { return party.page_faults.minor; }, format_amount);
  add("  major", [](Of party) { return party.page_faults.major; }, format_amount);
  add(
      "peak memory", [](Of party) { return party.peak_memory_bytes; },
      [](double bytes) { return format_bytes(static_cast<std::uint64_t>(bytes)); });
  add_counters(grid, parties);
  return grid;
}

}  // namespace waggle::report
