// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/units.hpp"
#include "harness/report/comparable.hpp"

namespace waggle::answers {
namespace {

constexpr double kLogFrom = 20;

using Settings = std::map<std::string, std::string>;

/// What the points of a sweep have in common.
struct Key {
  std::string suite;
  std::string experiment;
  std::string link;
  std::string x;
  Settings held;
  auto operator<=>(const Key&) const = default;
};

std::string held_text(const Settings& held) {
  std::string text;
  for (const auto& [name, value] : held) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, value);
  }
  return text;
}

std::set<std::string> as_set(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

/// A line for each thing that differs between the points besides what was swept.
std::vector<std::string> differences(const Sweep& sweep) {
  const auto& first = sweep.points.front().experiment->record();
  bool one_machine = true;
  bool one_build = true;
  std::set<std::string> others;
  for (const auto& point : sweep.points) {
    const auto& record = point.experiment->record();
    one_machine = one_machine && report::are_of_one_machine(first, record);
    one_build = one_build && report::are_of_one_build(first, record);
    others.merge(as_set(report::other_settings(first, record, {sweep.x})));
  }
  std::vector<std::string> lines;
  if (!one_machine) {
    lines.emplace_back("Its points were measured on different machines and do not compare.");
  }
  if (!one_build) {
    lines.emplace_back("Its points were measured by different builds of the program.");
  }
  if (!others.empty()) {
    lines.push_back(fmt::format("Its points were measured with another {} as well.", fmt::join(others, ", ")));
  }
  return lines;
}

}  // namespace

std::optional<Quantity> quantity_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && !std::isfinite(value)) {
    return std::nullopt;  // "inf" and "nan" are words like any others
  }
  if (error == std::errc() && end == text.data() + text.size()) {
    return Quantity{.value = value, .unit = ""};
  }
  if (text.ends_with('%') && error == std::errc() && end + 1 == text.data() + text.size()) {
    return Quantity{.value = value, .unit = "%"};
  }
  if (error != std::errc()) {
    return std::nullopt;
  }
  if (const auto bytes = parse_size(text)) {
    const bool rate = !text.empty() && text.find_first_of("iBb") == std::string::npos;
    return Quantity{.value = static_cast<double>(*bytes), .unit = rate ? "" : "B"};
  }
  if (const auto time = parse_duration(text)) {
    return Quantity{.value = static_cast<double>(time->count()) * 1e-9, .unit = "s"};
  }
  if (const auto rate = parse_rate(text)) {
    return Quantity{.value = *rate, .unit = "1/s"};
  }
  return std::nullopt;
}

std::vector<Sweep> sweeps(const std::vector<Experiment>& experiments) {
  std::map<Key, std::map<double, Sweep::Point>> found;
  std::map<Key, std::string> units;
  for (const auto& experiment : experiments) {
    const auto& suite = experiment.record().suite;
    if (!suite || experiment.contestants.empty()) {
      continue;
    }
    for (const auto& [name, text] : suite->point) {
      const auto quantity = quantity_of(text);
      if (!quantity) {
        continue;
      }
      Key key{.suite = suite->name,
              .experiment = suite->experiment,
              .link = experiment.link,
              .x = name,
              .held = suite->point};
      key.held.erase(name);
      // "0" and "64" have none beside "1KiB".
      auto& unit = units[key];
      unit = quantity->unit.empty() ? unit : quantity->unit;
      // Experiments come by age: a newer one takes the place of an older one.
      found[key][quantity->value] = {.x = quantity->value, .label = text, .experiment = &experiment};
    }
  }
  std::vector<Sweep> all;
  for (auto& [key, points] : found) {
    if (points.size() < 2) {
      continue;
    }
    const auto held = held_text(key.held);
    Sweep sweep{.id = fmt::format("{}/{}/{}{}{}", key.suite, key.experiment, key.link, held.empty() ? "" : "/", held),
                .suite = key.suite,
                .title = points.begin()->second.experiment->record().suite->title,
                .link = key.link,
                .x = key.x,
                .unit = units[key],
                .log = points.begin()->first > 0 && points.rbegin()->first / points.begin()->first > kLogFrom,
                .points = {},
                .warnings = {}};
    if (!held.empty()) {
      sweep.title += fmt::format(" ({})", held);
    }
    for (auto& [x, point] : points) {
      sweep.points.push_back(std::move(point));
    }
    sweep.warnings = differences(sweep);
    all.push_back(std::move(sweep));
  }
  // Two settings of one experiment may be swept: the name tells which.
  std::map<std::string, std::size_t> names;
  for (const auto& sweep : all) {
    ++names[sweep.id];
  }
  for (auto& sweep : all) {
    if (names[sweep.id] > 1) {
      sweep.id += fmt::format("/by-{}", sweep.x);
    }
  }
  return all;
}

}  // namespace waggle::answers
