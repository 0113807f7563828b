// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/placement_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cli/grid.hpp"
#include "harness/cli/record_text.hpp"

namespace waggle::cli {
namespace {

using nlohmann::json;

std::size_t runs_in(const json& group) {
  std::size_t sum = 0;
  for (const json& runs : group.at("runs")) {
    sum += runs.get<std::size_t>();
  }
  return sum;
}

std::size_t moved_runs(const json& record) {
  std::size_t sum = 0;
  for (const auto& pair : record.at("pairs")) {
    sum += is_ok(pair) ? runs_of(pair, "moved") : 0;
  }
  return sum;
}

std::string between(const json& placement) {
  const auto server = placement.at("server_cpu").get<int>();
  const auto client = placement.at("client_cpu").get<int>();
  const auto share = placement.at("share").get<std::string>();
  const auto* shared = share == "core"   ? "a core"
                       : share == "l3"   ? "an L3"
                       : share == "node" ? "a NUMA node"
                                         : "no cache that the machine tells of";
  return server == client ? fmt::format("server and client share CPU {}", server)
                          : fmt::format("between CPU {} and CPU {}, which share {}", server, client, shared);
}

/// All groups as one.
json whole(const json& groups) {
  json all{{"lowest_ns", nullptr}, {"highest_ns", nullptr}};
  for (const json& group : groups) {
    if (!group.at("lowest_ns").is_number()) {
      continue;
    }
    if (all.at("lowest_ns").is_null() || group.at("lowest_ns") < all.at("lowest_ns")) {
      all["lowest_ns"] = group.at("lowest_ns");
    }
    if (all.at("highest_ns").is_null() || group.at("highest_ns") > all.at("highest_ns")) {
      all["highest_ns"] = group.at("highest_ns");
    }
  }
  return all;
}

bool is_told(const json& record) {
  return record.contains("placement") && !record.at("placement").at("groups").empty();
}

/// Whether figures were taken together that may differ by where they were made.
bool is_mixed(const json& placement) {
  return placement.at("counted").is_null() && placement.at("rule") != "any";
}

}  // namespace

json figures_from(const json& placement) {
  const auto& groups = placement.at("groups");
  return placement.at("counted").is_null() ? whole(groups) : groups.at(placement.at("counted").get<std::size_t>());
}

json counted_group(const json& record) {
  return record.contains("placement") ? record.at("placement").at("counted") : json();
}

std::string distance_text(const json& group) {
  const auto& low = group.at("lowest_ns");
  const auto& high = group.at("highest_ns");
  if (!low.is_number() || !high.is_number()) {
    return "–";
  }
  const auto lowest = format_number(low.get<double>());
  const auto highest = format_number(high.get<double>());
  return lowest == highest ? lowest + " ns" : fmt::format("{} – {} ns", lowest, highest);
}

std::string placement_note(const json& record) {
  const auto& placement = record.at("placement");
  const auto& groups = placement.at("groups");
  const auto moved = moved_runs(record);
  std::size_t all = moved;
  for (const json& group : groups) {
    all += runs_in(group);
  }
  std::string note = between(placement);
  if (placement.at("counted").is_null()) {
    note += is_mixed(placement) ? "; no placement has runs of all, so all runs count" : "; all runs count";
    return note;
  }
  const auto counted = placement.at("counted").get<std::size_t>();
  if (const auto runs = runs_in(groups.at(counted)); runs != all) {
    note += fmt::format("; {} of {} timed runs", runs, all);
  }
  if (moved > 0) {
    note += fmt::format(", {} moved midway", moved);
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i != counted) {
      note += fmt::format(", {} at {}", runs_in(groups[i]), distance_text(groups[i]));
    }
  }
  return note;
}

std::string placement_text(const json& record, const Style& style) {
  if (!is_told(record)) {
    return "";
  }
  const auto& placement = record.at("placement");
  const auto line = fmt::format("Placement: {} for a cache line there and back {}.",
                                distance_text(figures_from(placement)), placement_note(record));
  const Ink ink = is_mixed(placement) ? Ink::warning : Ink::plain;
  return "\n" + paint(style, ink, wrap(style, line, 2)) + "\n";
}

std::vector<json> elsewhere(const json& record) {
  std::vector<json> records;
  const auto groups = record.contains("placement") ? record.at("placement").at("groups").size() : 0;
  for (std::size_t group = 0; group < groups; ++group) {
    json other = record;
    other["placement"]["counted"] = group;
    bool all = true;
    bool any = false;
    for (auto& pair : other.at("pairs")) {
      if (!is_ok(pair)) {
        continue;
      }
      any = true;
      const auto summaries = pair.value("elsewhere", json::array());
      const auto found = std::ranges::find_if(summaries, [&](const json& one) { return one.at("group") == group; });
      all = all && found != summaries.end();
      if (found != summaries.end()) {
        pair["summary"] = found->at("summary");
      }
      pair.erase("elsewhere");
    }
    if (all && any && group != record.at("placement").at("counted")) {
      records.push_back(std::move(other));
    }
  }
  return records;
}

}  // namespace waggle::cli
