// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/units.hpp"
#include "harness/cli/modes_text.hpp"
#include "harness/cli/placement_text.hpp"
#include "harness/cli/record_text.hpp"
#include "harness/cli/table.hpp"

namespace waggle::cli {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 2> kSides{"sender", "receiver"};
/// System calls listed by name; the rest are summed up.
constexpr std::size_t kMostCalls = 8;
/// Width of the first column, so that the parts of a summary line up.
constexpr std::size_t kLabel = 26;

std::string why_stopped(const std::string& stopped) {
  return stopped == "interval"    ? "enough for the interval that is wanted"
         : stopped == "budget"    ? "as many as the time allowed"
         : stopped == "placement" ? "then the CPUs had been moved too often"
                                  : "the most that was allowed";
}

std::string runs_text(std::size_t runs) {
  return runs == 1 ? "1 run" : fmt::format("{} runs", runs);
}

std::string join_notes(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + "; " + b;
}

std::string interval_note(const json& interval, std::string (*format)(double)) {
  const auto& low = interval.at("low");
  const auto& high = interval.at("high");
  return !low.is_number() || !high.is_number()
             ? "too few runs for an interval"
             : fmt::format("{} interval {} – {}{}", coverage_text(interval), format(low.get<double>()),
                           format(high.get<double>()),
                           has_drifted(interval) ? ", wider since the machine drifted" : "");
}

/// A share as percent of one CPU.
std::string percent(double share) {
  return fmt::format("{} %", format_number(share * 100));
}

void add_cost(Grid& grid, const char* label, const json& cost, const char* unit) {
  if (cost.is_object()) {
    grid.add({{label, Ink::strong},
              {fmt::format("{} {}", format_number(median_of(cost.at("processes"))), unit), Ink::plain},
              {fmt::format("sender {}, receiver {}; whole machine {}", format_number(median_of(cost.at("sender"))),
                           format_number(median_of(cost.at("receiver"))), format_number(median_of(cost.at("machine")))),
               Ink::plain}});
  }
}

/// How far the CPUs were from each other, where the record tells it.
void add_placement(Grid& grid, const json& record) {
  if (!record.contains("placement") || record.at("placement").at("groups").empty()) {
    return;
  }
  grid.add({{"placement", Ink::strong},
            {distance_text(figures_from(record.at("placement"))), Ink::plain},
            {placement_note(record), Ink::plain}});
}

/// `ceiling`: null where none is known.
Grid totals(const json& record, const json& summary, const json& ceiling) {
  Grid grid({{.heading = "", .right = false, .keep = 9, .least = kLabel},
             {.heading = "", .right = true, .keep = 9, .least = 12},
             {.heading = "", .right = false, .keep = 8, .wraps = true}});
  const auto& goodput = summary.at("goodput_bits_per_second");
  const auto& operations = summary.at("operations_per_second");
  const auto runs = fmt::format("{}, {}", runs_text(goodput.at("runs").get<std::size_t>()),
                                why_stopped(summary.at("stopped").get<std::string>()));
  const bool bulk = is_bulk(record);
  const auto& share = summary.at("cpu_share");
  if (is_idle(record)) {
    grid.add({{"CPU while idle", Ink::strong},
              {percent(median_of(share.at("processes"))), Ink::good},
              {join_notes(fmt::format("sender {}, receiver {}, whole machine {} of one CPU",
                                      percent(median_of(share.at("sender"))), percent(median_of(share.at("receiver"))),
                                      percent(median_of(share.at("machine")))),
                          join_notes(interval_note(share.at("processes"), percent), runs)),
               Ink::plain}});
    add_placement(grid, record);
    return grid;
  }
  if (!bulk) {
    grid.add({{"operations", Ink::strong},
              {format_number(median_of(operations)) + " /s", Ink::good},
              {join_notes(interval_note(operations, format_number), runs), Ink::plain}});
  }
  grid.add({{"goodput", Ink::strong},
            {format_rate(median_of(goodput)), bulk ? Ink::good : Ink::plain},
            {join_notes(interval_note(goodput, format_rate), bulk ? runs : ""), Ink::plain}});
  if (bulk && ceiling.is_object()) {
    grid.add({{"of the ceiling", Ink::strong},
              {percent(ceiling.at("share").get<double>()), Ink::plain},
              {fmt::format("{}: {}", format_rate(ceiling.at("goodput_bits_per_second").get<double>()),
                           ceiling.at("because").get<std::string>()),
               Ink::plain}});
  }
  if (bulk) {
    add_cost(grid, "CPU per GiB", summary.at("cpu_seconds_per_gib"), "s");
  } else {
    add_cost(grid, "CPU per operation", summary.at("cpu_microseconds_per_operation"), "µs");
  }
  grid.add({{"verification", Ink::strong},
            {fmt::format("{:.1f} %", summary.at("verify_share").get<double>() * 100), Ink::plain},
            {"of the client's time went into hashing", Ink::plain}});
  if (const auto& probing = summary.at("probe_cost"); probing.is_object()) {
    grid.add({{"probing", Ink::strong},
              {fmt::format("{:+.1f} %", probing.at("slowdown").get<double>() * 100), Ink::plain},
              {"time of the probed runs, which are not among the timed ones", Ink::plain}});
  }
  add_placement(grid, record);
  return grid;
}

Grid latencies(const json& summary) {
  Grid grid({{.heading = "latency", .right = false, .keep = 9, .least = kLabel},
             {.heading = "p50", .keep = 8, .least = 12},
             {.heading = "p90", .keep = 5},
             {.heading = "p99", .keep = 7},
             {.heading = "p99.9", .keep = 6},
             {.heading = "max", .keep = 4},
             {.heading = "count", .keep = 3}});
  for (const auto& [operation, distribution] : summary.at("latency_ns").items()) {
    std::vector<Grid::Cell> row{{"  " + operation, Ink::plain}};
    for (const auto* quantile : {"p50", "p90", "p99", "p999", "max"}) {
      const auto value = quantile_of(distribution, quantile);
      row.push_back({value ? format_duration_ns(*value) : "–", Ink::plain});
    }
    row.push_back({format_count(distribution.at("count").get<std::uint64_t>()), Ink::plain});
    grid.add(std::move(row));
  }
  return grid;
}

struct Calls {
  std::string name;  ///< "splice file→pipe"
  double sender = 0;
  double receiver = 0;
  double sum() const { return sender + receiver; }
};

/// System calls of the last probed run, the most frequent first.
std::vector<Calls> calls_of(const json& pair) {
  std::map<std::string, Calls> calls;
  for (const auto& run : pair.at("runs")) {
    if (!run.contains("trace")) {
      continue;
    }
    calls.clear();
    for (const auto* side : kSides) {
      for (const auto& call : run.at("trace").at(side).at("calls")) {
        const auto from = call.at("from").get<std::string>();
        const auto to = call.at("to").get<std::string>();
        const auto ends = from.empty() && to.empty() ? "" : fmt::format(" {}→{}", from, to);
        auto& entry = calls[call.at("call").get<std::string>() + ends];
        (side == kSides[0] ? entry.sender : entry.receiver) += call.at("calls").get<double>();
      }
    }
  }
  std::vector<Calls> sorted;
  for (auto& [name, count] : calls) {
    sorted.push_back({name, count.sender, count.receiver});
  }
  std::ranges::sort(
      sorted, [](const Calls& a, const Calls& b) { return a.sum() != b.sum() ? a.sum() > b.sum() : a.name < b.name; });
  return sorted;
}

void add_calls(Grid& grid, const json& pair) {
  auto calls = calls_of(pair);
  if (calls.size() > kMostCalls + 1) {
    Calls rest{.name = fmt::format("{} others", calls.size() - kMostCalls)};
    for (std::size_t i = kMostCalls; i < calls.size(); ++i) {
      rest.sender += calls[i].sender;
      rest.receiver += calls[i].receiver;
    }
    calls.resize(kMostCalls);
    calls.push_back(rest);
  }
  for (const auto& call : calls) {
    grid.add({{"  " + call.name, Ink::faint},
              {format_amount(call.sender), Ink::faint},
              {format_amount(call.receiver), Ink::faint}});
  }
}

void add_copies(Grid& grid, const json& copies) {
  for (const auto* place : {"kernel", "user"}) {
    std::vector<Grid::Cell> row{{fmt::format("copies per byte, {}", place), Ink::strong}};
    std::vector<Grid::Cell> model{{"  modelled", Ink::faint}};
    std::vector<Grid::Cell> verification{{"  of these to verify", Ink::faint}};
    bool measured = false;
    bool verified = false;
    for (const auto* side : kSides) {
      const auto& entry = copies.at(side).at(place);
      const auto& reread = entry.at("verification");
      measured = measured || entry.at("measured").is_number();
      verified = verified || (reread.is_number() && reread.get<double>() >= 0.005);
      row.push_back(copies_cell(entry));
      verification.push_back({reread.is_number() ? fmt::format("{:.2f}", reread.get<double>()) : "–", Ink::faint});
      model.push_back({fmt::format("{:.2f}", entry.at("modelled").get<double>()), Ink::faint});
    }
    grid.add(std::move(row));
    if (verified) {
      grid.add(std::move(verification));
    }
    if (measured) {
      grid.add(std::move(model));
    }
  }
}

void add_row(Grid& grid, const char* label, const json& per_side, std::string (*format)(double)) {
  if (per_side.is_object()) {
    grid.add({{label, label[0] == ' ' ? Ink::plain : Ink::strong},
              {format(per_side.at("sender").get<double>()), Ink::plain},
              {format(per_side.at("receiver").get<double>()), Ink::plain}});
  }
}

/// What the datapath itself counted, by name; empty polls with their share, since they are no work.
void add_counters(Grid& grid, const json& counters) {
  std::map<std::string, std::array<double, 2>> counts;
  for (std::size_t side = 0; side < kSides.size(); ++side) {
    for (const auto& [name, count] : counters.at(kSides.at(side)).items()) {
      counts[name].at(side) = count.get<double>();
    }
  }
  for (const auto& [name, sides] : counts) {
    if (sides[0] == 0 && sides[1] == 0) {
      continue;
    }
    std::string label = name;
    std::ranges::replace(label, '_', ' ');
    std::vector<Grid::Cell> row{{label, Ink::strong}};
    for (std::size_t side = 0; side < kSides.size(); ++side) {
      const double full = name == "empty_polls" && counts.contains("rx_bursts") ? counts.at("rx_bursts").at(side) : 0;
      const double all = full + sides.at(side);
      row.push_back(
          {full == 0 ? format_amount(sides.at(side))
                     : fmt::format("{} ({:.0f} % of polls)", format_amount(sides.at(side)), sides.at(side) / all * 100),
           Ink::plain});
    }
    grid.add(std::move(row));
  }
}

Grid sides(const json& record, const json& pair) {
  const bool server_sends = record.at("workload").at("server_sends").get<bool>();
  const auto& summary = pair.at("summary");
  Grid grid({{.heading = "per run", .right = false, .keep = 9, .least = kLabel},
             {.heading = server_sends ? "sender (server)" : "sender (client)", .keep = 9},
             {.heading = server_sends ? "receiver (client)" : "receiver (server)", .keep = 9}});
  add_copies(grid, summary.at("copies"));
  add_row(grid, "system calls", summary.at("system_calls"), format_amount);
  add_calls(grid, pair);
  add_row(grid, "mode switches", summary.at("mode_switches"), format_amount);
  add_row(grid, "context switches, voluntary", summary.at("context_switches").at("voluntary"), format_amount);
  add_row(grid, "  involuntary", summary.at("context_switches").at("involuntary"), format_amount);
  add_row(grid, "page faults, minor", summary.at("page_faults").at("minor"), format_amount);
  add_row(grid, "  major", summary.at("page_faults").at("major"), format_amount);
  add_row(grid, "peak memory", summary.at("peak_memory_bytes"),
          [](double bytes) { return format_bytes(static_cast<std::uint64_t>(bytes)); });
  add_counters(grid, summary.at("counters"));
  return grid;
}

std::string remarks(const json& pair, const Style& style) {
  std::string text;
  const auto add = [&](Ink ink, const std::string& line) { text += paint(style, ink, wrap(style, line, 2)) + "\n"; };
  for (const auto& line : disagreements(pair)) {
    add(Ink::warning, "Copies disagree with the model by more than 5 %: " + line);
  }
  std::set<std::string> reasons;
  std::set<std::string> unseen;
  for (const auto& run : pair.at("runs")) {
    if (run.contains("trace")) {
      reasons.insert(run.at("trace").at("why_not_better").get<std::string>());
      for (const auto* side : kSides) {
        unseen.insert(run.at("trace").at(side).value("unseen", ""));
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
  for (const auto* side : kSides) {
    if (const auto whose = pair.at("model").at(side).value("uncounted", ""); !whose.empty()) {
      add(Ink::faint, fmt::format("Copies in user space at the {} are only modelled: {}", side, whose));
    }
  }
  if (const auto problem = pair.value("probe_problem", ""); !problem.empty()) {
    add(Ink::warning, "Not probed, so copies are modelled: " + problem);
  }
  return text.empty() ? "" : "\n" + text;
}

/// What the same runs gave between CPUs at another distance.
std::string other_placements(const json& record, const json& pair, const Style& style) {
  std::string text;
  for (const auto& other : elsewhere(record)) {
    const auto& placement = other.at("placement");
    const auto& group = placement.at("groups").at(placement.at("counted").get<std::size_t>());
    const auto same = [&](const json& one) { return one.at("label") == pair.at("label"); };
    const auto found = std::ranges::find_if(other.at("pairs"), same);
    text += fmt::format("\n{}\n", paint(style, Ink::strong,
                                        fmt::format("The same between CPUs that are {} apart", distance_text(group))));
    text += totals(other, found->at("summary"), nullptr).text(style);
  }
  return text;
}

std::string pair_text(const json& record, const json& pair, const Style& style) {
  auto title = fmt::format("{} → {}", pair.at("sender").get<std::string>(), pair.at("receiver").get<std::string>());
  if (!is_ok(pair)) {
    const auto reason = join_notes(pair.at("reason").get<std::string>(), pair.value("hint", ""));
    return paint(style, Ink::bad,
                 wrap(style, fmt::format("{} {}: {}", title, pair.at("status").get<std::string>(), reason), 2)) +
           "\n";
  }
  if (links_of(record).size() > 1) {
    title += " over " + link_text(record, pair.at("link").get<std::string>());
  }
  const auto timed = runs_of(pair, "timed");
  const auto warmups = runs_of(pair, "warmup");
  const auto probed = runs_of(pair, "probed");
  const auto moved = runs_of(pair, "moved");
  std::string text = wrap(style,
                          fmt::format("{}: every byte verified in {} ({} timed, {} warm-up, {} probed{})", title,
                                      runs_text(timed + warmups + probed + moved), timed, warmups, probed,
                                      moved == 0 ? "" : fmt::format(", {} moved", moved)),
                          2);
  if (text.starts_with(title)) {
    text = paint(style, Ink::strong, title) + text.substr(title.size());
  }
  text += "\n\n";
  text += totals(record, pair.at("summary"), pair.value("ceiling", json())).text(style);
  if (const Grid latency = latencies(pair.at("summary")); !latency.empty()) {
    text += "\n" + latency.text(style);
  }
  text += other_placements(record, pair, style);
  text += "\n" + sides(record, pair).text(style);
  return text + pair_modes(record, pair, style) + remarks(pair, style);
}

}  // namespace

std::string run_table(const json& record, const Style& style) {
  std::string text = wrap(style, headline(record), 2) + "\n" + noise_text(record, style);
  for (const auto& pair : record.at("pairs")) {
    text += pair_text(record, pair, style);
  }
  return text;
}

}  // namespace waggle::cli
