// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/record_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "harness/cli/placement_text.hpp"
#include "harness/experiment/metric.hpp"
#include "harness/experiment/statistics.hpp"

namespace waggle::cli {
namespace {

using nlohmann::json;

/// Whether payload goes into the sink at all: messages and random reads are dropped once verified.
bool fills_sink(const std::string& workload) {
  return workload == "download" || workload == "upload" || workload == "small-files";
}

/// The workload with what it moves, where one size says it.
std::string subject(const json& spec) {
  const auto workload = spec.at("workload").get<std::string>();
  if (const auto& file = spec.at("file"); file.is_string()) {
    return fmt::format("{} of {}", workload, file.get<std::string>());
  }
  const bool one_file = workload == "download" || workload == "upload" || workload == "rand-read";
  return one_file
             ? fmt::format("{} of {}", workload, format_bytes(spec.at("parameters").at("size").get<std::uint64_t>()))
             : workload;
}

bool covers_all(const json& interval) {
  return experiment::coverage(interval.at("runs").get<std::size_t>()) >= experiment::kConfidence;
}

}  // namespace

std::string headline(const json& record) {
  const auto& spec = record.at("spec");
  const auto sink = spec.at("sink").get<std::string>();
  const auto links = links_of(record);
  std::string text = subject(spec);
  if (links.size() == 1) {
    text += fmt::format(" over {}", link_text(record, links.front()));
  }
  if (fills_sink(spec.at("workload").get<std::string>())) {
    text += sink == "discard" ? ", verified and discarded" : fmt::format(" into {}", sink == "file" ? "files" : sink);
    text += spec.at("tmpfs_huge").get<bool>() ? " (huge=always)" : "";
  }
  if (!is_idle(record)) {
    text += fmt::format(", {} cache", spec.at("cache").get<std::string>());
  }
  text += fmt::format(", {}", spec.at("channel").at("congestion").get<std::string>());
  const auto clients = spec.at("parameters").at("clients").get<std::uint64_t>();
  return text + (clients > 1 ? fmt::format(", {} clients", clients) : "");
}

std::vector<std::string> links_of(const json& record) {
  std::vector<std::string> links;
  for (const auto& pair : record.at("pairs")) {
    const auto link = pair.value("link", "");
    if (record.at("environment").at("links").contains(link) && std::ranges::find(links, link) == links.end()) {
      links.push_back(link);
    }
  }
  return links;
}

std::string link_text(const json& record, const std::string& link) {
  const auto& spec = record.at("spec");
  const auto asked = spec.at("mtu").get<int>();
  std::string mtu = asked == 0 ? "" : std::to_string(asked);
  bool device = false;
  for (const auto& mode : record.at("environment").at("links").at(link).at("modes")) {
    const auto name = mode.at("name").get<std::string>();
    if (name == "server mtu" || name == "lo mtu") {
      mtu = mode.at("granted").get<std::string>();
      device = true;
    }
  }
  if (device) {
    return fmt::format("{} (MTU {}, offloads {})", link, mtu, spec.at("offloads").get<bool>() ? "on" : "off");
  }
  return mtu.empty() ? link : fmt::format("{} (MTU {})", link, mtu);
}

std::string congestion_text(const json& pair) {
  for (const auto& mode : pair.at("facts").at("sender").at("modes")) {
    if (mode.at("name") == "congestion") {
      const auto granted = mode.at("granted").get<std::string>();
      const auto requested = mode.at("requested").get<std::string>();
      return granted == requested ? granted : fmt::format("{} ({} requested)", granted, requested);
    }
  }
  return "–";
}

std::string noise_text(const json& record, const Style& style) {
  std::string text;
  for (const auto& reason : record.at("environment").at("noise")) {
    text += paint(style, Ink::warning, wrap(style, "Noisy machine: " + reason.get<std::string>(), 2)) + "\n";
  }
  return text;
}

std::string interval_text(const json& interval, double factor) {
  if (!interval.is_object() || !interval.at("low").is_number() || !interval.at("high").is_number()) {
    return "";
  }
  const auto range = fmt::format("{} – {}", format_number(interval.at("low").get<double>() * factor),
                                 format_number(interval.at("high").get<double>() * factor));
  return covers_all(interval) ? range : fmt::format("{} ({})", range, coverage_text(interval));
}

std::string coverage_text(const json& interval) {
  const double percent = experiment::coverage(interval.at("runs").get<std::size_t>()) * 100;
  return covers_all(interval) ? "95 %" : fmt::format("{:.3g} %", percent);
}

bool has_drifted(const json& interval) {
  return interval.is_object() && interval.value("drift", 0.0) > 0;
}

std::optional<double> quantile_of(const json& distribution, const std::string& quantile) {
  const auto& value = distribution.at(quantile);
  const double share = quantile == "p50" ? 0.5 : quantile == "p90" ? 0.9 : quantile == "p99" ? 0.99 : 0.999;
  // Records of before hold percentiles of few samples, too.
  const bool known = value.is_number() &&
                     (quantile == "max" || experiment::carries(distribution.at("count").get<std::uint64_t>(), share));
  return known ? std::optional(value.get<double>()) : std::nullopt;
}

double median_of(const json& interval) {
  return interval.is_object() ? interval.at("median").get<double>() : 0;
}

Grid::Cell copies_cell(const json& place) {
  const auto& measured = place.at("measured");
  if (!measured.is_number()) {
    return {fmt::format("{:.2f} modelled", place.at("modelled").get<double>()), Ink::faint};
  }
  return {fmt::format("{:.2f} {}", measured.get<double>(), place.at("grade").get<std::string>()), Ink::plain};
}

Grid::Cell side_copies_cell(const json& side) {
  double sum = 0;
  bool measured = true;
  for (const auto& place : side) {
    const auto& value = place.at("measured");
    measured = measured && value.is_number();
    sum += value.is_number() ? value.get<double>() : place.at("modelled").get<double>();
  }
  return {fmt::format("{:.2f}", sum), measured ? Ink::plain : Ink::faint};
}

std::vector<std::string> disagreements(const json& pair) {
  std::vector<std::string> lines;
  for (const auto& one : pair.at("summary").at("disagreements")) {
    const auto side = one.at("side").get<std::string>();
    const double modelled = one.at("modelled").get<double>();
    const double difference = one.at("difference").get<double>();
    const auto by = modelled == 0 ? fmt::format("{:+.2f}", difference) : fmt::format("{:+.0f} %", difference * 100);
    lines.push_back(fmt::format("{}, {}, {}: measured {:.2f}, modelled {:.2f} ({}); the model: {}",
                                pair.at("label").get<std::string>(), side, one.at("place").get<std::string>(),
                                one.at("measured").get<double>(), modelled, by,
                                pair.at("model").at(side).at("because").get<std::string>()));
  }
  return lines;
}

std::size_t runs_of(const json& pair, std::string_view kind) {
  return static_cast<std::size_t>(std::ranges::count_if(
      pair.at("runs"), [&](const json& run) { return run.at("kind") == kind && run.at("status") == "ok"; }));
}

double operations_per_run(const json& record, const json& pair, std::string_view kind) {
  std::vector<double> operations;
  for (const auto& run : pair.at("runs")) {
    if (kind == "timed" ? experiment::counts(run, counted_group(record))
                        : run.at("kind") == kind && run.at("status") == "ok") {
      operations.push_back(run.at("operations").get<double>());
    }
  }
  return experiment::median(std::move(operations));
}

bool is_bulk(const json& record) {
  return record.at("workload").at("bulk").get<bool>();
}

bool is_idle(const json& record) {
  return record.at("workload").value("idle", false);
}

bool is_ok(const json& pair) {
  return pair.at("status") == "ok";
}

}  // namespace waggle::cli
