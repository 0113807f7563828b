// SPDX-License-Identifier: BSD-2-Clause
#include "harness/doctor/findings_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace waggle::doctor {
namespace {

using measure::Capability;
using report::Ink;
using report::Style;

std::string capabilities_text(const std::vector<Capability>& all, const Style& style) {
  std::size_t widest = 0;
  for (const auto& one : all) {
    widest = std::max(widest, report::columns(one.name));
  }
  std::string text;
  for (const auto& one : all) {
    const Ink ink = one.works ? Ink::good : one.required ? Ink::bad : Ink::warning;
    const auto* mark = one.works ? "yes" : one.required ? "NO" : "no";
    const std::string space(widest - report::columns(one.name), ' ');
    text +=
        fmt::format("{}{}  {}{}  {}\n", std::string(3 - report::columns(mark), ' '), report::paint(style, ink, mark),
                    one.name, space, report::paint(style, Ink::faint, "for " + one.need));
    if (!one.works) {
      text += fmt::format("     {}\n", report::wrap(style, printable(one.why_not), 5));
      if (!one.remedy.empty()) {
        text += fmt::format("     {} {}\n", report::paint(style, Ink::strong, "fix:"), printable(one.remedy));
      }
    }
  }
  return text;
}

nlohmann::json to_json(const std::vector<Capability>& all) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& one : all) {
    list.push_back({{"name", one.name},
                    {"need", one.need},
                    {"required", one.required},
                    {"works", one.works},
                    {"why_not", one.why_not},
                    {"remedy", one.remedy}});
  }
  return list;
}

}  // namespace

std::string distance_text(const Distance& distance, const Style& style) {
  if (distance.server == distance.client) {
    return fmt::format("     placement: there is one CPU, {}, for server and client\n", distance.server);
  }
  const auto line = fmt::format(
      "placement: a cache line takes {} from CPU {} to CPU {} and back; the machine says that they share {}",
      distance.round_trip_ns ? fmt::format("{:.0f} ns", *distance.round_trip_ns) : "too long, since they are busy,",
      distance.server, distance.client, measure::text(distance.shared));
  return fmt::format("     {}\n", report::wrap(style, line, 5));
}

std::string findings_text(const Findings& findings, const Style& style) {
  return capabilities_text(findings.capabilities, style) +
         (findings.distance ? distance_text(*findings.distance, style) : "");
}

nlohmann::json to_json(const Distance& distance) {
  return {{"server_cpu", distance.server},
          {"client_cpu", distance.client},
          {"share", name(distance.shared)},
          {"round_trip_ns", distance.round_trip_ns ? nlohmann::json(*distance.round_trip_ns) : nlohmann::json()}};
}

nlohmann::json to_json(const Findings& findings) {
  return {{"ready", findings.lacking().empty()},
          {"capabilities", to_json(findings.capabilities)},
          {"placement", findings.distance ? to_json(*findings.distance) : nlohmann::json()}};
}

}  // namespace waggle::doctor
