// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/record_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "harness/record/metric.hpp"
#include "harness/report/placement_text.hpp"
#include "harness/statistics/statistics.hpp"
#include "workloads/workload.hpp"

namespace waggle::report {
namespace {

/// Of the record, or where an older one does not have it of the workload that is called so today.
workloads::Traits traits_of(const record::Record& record) {
  const auto workload = workloads::find_workload(record.spec.workload);
  return workload ? (*workload)->traits() : workloads::Traits{};
}

/// Whether payload goes into the sink at all: messages and random reads are dropped once verified.
bool fills_sink(const record::Record& record) {
  return record.workload.fills_sink.value_or(traits_of(record).fills_sink);
}

/// The workload with what it moves, where one size says it.
std::string subject(const record::Record& record) {
  const record::Asked& spec = record.spec;
  if (spec.file) {
    return fmt::format("{} of {}", spec.workload, *spec.file);
  }
  const auto option = record.workload.file_size.value_or(std::string(traits_of(record).file_size));
  const auto size = spec.parameters.count(option);
  return size ? fmt::format("{} of {}", spec.workload, format_bytes(*size)) : spec.workload;
}

/// Records of before do not tell it.
double coverage_of(const record::Interval& interval) {
  return interval.coverage.value_or(statistics::coverage(interval.runs));
}

bool covers_all(const record::Interval& interval) {
  return coverage_of(interval) >= statistics::kConfidence;
}

}  // namespace

std::string headline(const record::Record& record) {
  const auto& spec = record.spec;
  const auto links = links_of(record);
  std::string text = subject(record);
  if (links.size() == 1) {
    text += fmt::format(" over {}", link_text(record, links.front()));
  }
  if (fills_sink(record)) {
    text += spec.sink == "discard" ? ", verified and discarded"
                                   : fmt::format(" into {}", spec.sink == "file" ? "files" : spec.sink);
    text += spec.tmpfs_huge ? " (huge=always)" : "";
  }
  if (!record.workload.idle) {
    text += fmt::format(", {} cache", spec.cache);
  }
  text += fmt::format(", {}", spec.channel.congestion);
  const auto clients = spec.parameters.clients;
  return text + (clients > 1 ? fmt::format(", {} clients", clients) : "");
}

std::vector<std::string> links_of(const record::Record& record) {
  std::vector<std::string> links;
  for (const auto& contestant : record.contestants) {
    if (record.environment.links.contains(contestant.link) &&
        std::ranges::find(links, contestant.link) == links.end()) {
      links.push_back(contestant.link);
    }
  }
  return links;
}

std::string link_text(const record::Record& record, const std::string& link) {
  std::string mtu = record.spec.mtu == 0 ? "" : std::to_string(record.spec.mtu);
  bool device = false;
  for (const auto& mode : record.environment.links.at(link).modes) {
    if (mode.name == "server mtu" || mode.name == "lo mtu") {
      mtu = mode.granted;
      device = true;
    }
  }
  if (device) {
    return fmt::format("{} (MTU {}, offloads {})", link, mtu, record.spec.offloads ? "on" : "off");
  }
  return mtu.empty() ? link : fmt::format("{} (MTU {})", link, mtu);
}

std::string congestion_text(const record::Contestant& contestant) {
  const auto* const sender = record::find(contestant.parties, record::Role::sender);
  if (sender == nullptr || !sender->facts) {
    return "–";
  }
  const auto mode = std::ranges::find(sender->facts->modes, "congestion", &record::Mode::name);
  return mode == sender->facts->modes.end() ? "–"
         : mode->granted == mode->requested ? mode->granted
                                            : fmt::format("{} ({} requested)", mode->granted, mode->requested);
}

std::string noise_text(const record::Record& record, const Style& style) {
  std::string text;
  if (record.interrupted.value_or(false)) {
    const auto* line = "Interrupted: the figures are of the runs that were made until then.";
    text += paint(style, Ink::warning, wrap(style, line, 2)) + "\n";
  }
  for (const auto& reason : record.environment.noise) {
    text += paint(style, Ink::warning, wrap(style, "Noisy machine: " + reason, 2)) + "\n";
  }
  return text;
}

std::string interval_text(const record::Interval& interval, double factor) {
  if (!interval.low || !interval.high) {
    return "";
  }
  const auto range =
      fmt::format("{} – {}", format_number(*interval.low * factor), format_number(*interval.high * factor));
  return covers_all(interval) ? range : fmt::format("{} ({})", range, coverage_text(interval));
}

std::string coverage_text(const record::Interval& interval) {
  const double percent = coverage_of(interval) * 100;
  return covers_all(interval) ? "95 %" : fmt::format("{:.3g} %", percent);
}

bool has_drifted(const record::Interval& interval) {
  return interval.drift > 0;
}

Percentiles percentiles(const record::Distribution& distribution) {
  // Records of before hold percentiles of few samples, too.
  const auto carried = [&](std::optional<std::uint64_t> value, double share) {
    return value && statistics::carries(distribution.count, share) ? std::optional(static_cast<double>(*value))
                                                                   : std::nullopt;
  };
  return {.p50 = carried(distribution.p50, 0.5),
          .p90 = carried(distribution.p90, 0.9),
          .p99 = carried(distribution.p99, 0.99),
          .p999 = carried(distribution.p999, 0.999),
          .max = static_cast<double>(distribution.max)};
}

Grid::Cell copies_cell(const record::CopiesPlace& place) {
  return place.measured ? Grid::Cell{fmt::format("{:.2f} {}", *place.measured, name(place.grade)), Ink::plain}
                        : Grid::Cell{fmt::format("{:.2f} modelled", place.modelled), Ink::faint};
}

Grid::Cell all_copies_cell(const record::Copies& copies) {
  const auto known = [](const record::CopiesPlace& place) { return place.measured.value_or(place.modelled); };
  const bool measured = copies.kernel.measured && copies.user.measured;
  return {fmt::format("{:.2f}", known(copies.kernel) + known(copies.user)), measured ? Ink::plain : Ink::faint};
}

std::vector<std::string> disagreements(const record::Contestant& contestant) {
  std::vector<std::string> lines;
  for (const auto& one : contestant.summary->disagreements) {
    const auto by =
        one.modelled == 0 ? fmt::format("{:+.2f}", one.difference) : fmt::format("{:+.0f} %", one.difference * 100);
    const auto* const party = record::find(contestant.parties, one.role);
    lines.push_back(fmt::format("{}, {}, {}: measured {:.2f}, modelled {:.2f} ({}); the model: {}", contestant.label,
                                name(one.role), name(one.place), one.measured, one.modelled, by,
                                party != nullptr && party->model ? party->model->because : ""));
  }
  return lines;
}

std::size_t runs_of(const record::Contestant& contestant, record::Kind kind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(contestant.runs, [&](const record::Run& run) { return run.kind == kind && run.ok(); }));
}

double operations_per_run(const record::Record& record, const record::Contestant& contestant, record::Kind kind) {
  std::vector<double> operations;
  for (const auto& run : contestant.runs) {
    if (kind == record::Kind::timed ? record::counts(run, counted_group(record)) : run.kind == kind && run.ok()) {
      operations.push_back(static_cast<double>(run.operations));
    }
  }
  return statistics::median(std::move(operations));
}

}  // namespace waggle::report
