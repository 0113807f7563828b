// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/experiments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/suggest.hpp"

namespace waggle::verdict {
namespace {

constexpr std::string_view kSettings = "settings";

using Values = std::vector<std::string>;
/// What a table says of each option: the values of a list, or nothing of a single one.
using Said = std::map<std::string, std::optional<Values>>;

/// None when any of them is a list itself.
Values values_of(const Node& list) {
  Values values;
  for (const Node& each : list.items) {
    if (!each.is_single()) {
      return {};
    }
    values.push_back(each.written());
  }
  return values;
}

/// Options of a datapath's own are "udp.queues", and "links" is another name of "link".
Said said_in(const Node& table, const std::string& prefix) {
  Said said;
  for (const Node& member : table.items) {
    const std::string name = prefix + (member.key == "links" ? "link" : member.key);
    if (member.is(Node::Kind::list)) {
      said[name] = values_of(member);
    } else if (member.is(Node::Kind::table)) {
      const bool outermost = prefix.empty() && member.key == kSettings;
      said.merge(said_in(member, outermost ? std::string() : name + "."));
    } else {
      said[name] = std::nullopt;
    }
  }
  return said;
}

std::string nearest_of(const std::string& typed, const std::vector<std::string>& known, std::string_view of) {
  const auto near = suggest(typed, known);
  return !near.empty()   ? fmt::format("did you mean '{}'?", near)
         : known.empty() ? fmt::format("{} none", of)
                         : fmt::format("{} {}", of, fmt::join(known, ", "));
}

}  // namespace

Experiments::Experiments(const Node& document, std::string suite, Complaint& complaint) : suite_(std::move(suite)) {
  TomlTable file(document, "a suite", complaint);
  speaks_to_ = file.texts("claims");
  const auto* const defaults = document.find("defaults");
  const auto usual = defaults == nullptr ? Said() : said_in(*defaults, "");
  for (const auto* each : file.tables("experiment")) {
    const auto* const id = each->find("id");
    if (id == nullptr || !id->is(Node::Kind::text)) {
      continue;
    }
    auto said = said_in(*each, "");
    said.insert(usual.begin(), usual.end());  // where the experiment says nothing itself
    said.erase("datapaths");
    Sweep& sweep = swept_[id->text];
    for (auto& [name, values] : said) {
      if (values) {
        sweep[name] = *std::move(values);
      }
    }
  }
}

void Experiments::check(const Rule& rule, TomlTable& table) const {
  if (!speaks_to_.empty() && std::ranges::find(speaks_to_, rule.claim) == speaks_to_.end()) {
    table.complain("claim", fmt::format("the suite does not say that it speaks to {}", rule.claim),
                   "add it to its 'claims'");
  }
  check_id("experiment", rule.experiment, table);
  check_point("at", rule.experiment, rule.at, table);
  const bool another = !rule.than_experiment.empty();
  if (another) {
    check_id("than_experiment", rule.than_experiment, table);
  }
  check_point("than_at", another ? rule.than_experiment : rule.experiment, rule.than_at, table);
}

void Experiments::check_id(const char* key, const std::string& id, TomlTable& table) const {
  if (!swept_.contains(id)) {
    std::vector<std::string> ids;
    std::ranges::transform(swept_, std::back_inserter(ids), [](const auto& each) { return each.first; });
    table.complain(key, fmt::format("the suite has no experiment '{}'", id), nearest_of(id, ids, "it has"));
  }
}

void Experiments::check_point(const char* key, const std::string& id, const Point& point, TomlTable& table) const {
  const auto found = swept_.find(id);
  if (found == swept_.end()) {
    return;
  }
  for (const auto& [name, value] : point) {
    const auto swept = found->second.find(name);
    if (swept == found->second.end()) {
      std::vector<std::string> names;
      std::ranges::transform(found->second, std::back_inserter(names), [](const auto& each) { return each.first; });
      table.complain(key, fmt::format("the experiment {} does not sweep '{}'", id, name),
                     nearest_of(name, names, "it sweeps"));
    } else if (const auto& values = swept->second;
               !values.empty() && std::ranges::none_of(values, [&](const std::string& known) {
                 return is_at({{name, known}}, {{name, value}});
               })) {
      table.complain(key, fmt::format("the experiment {} has no point {}={}", id, name, value),
                     nearest_of(value, values, "it sweeps"));
    }
  }
}

}  // namespace waggle::verdict
