// SPDX-License-Identifier: BSD-2-Clause
#include "harness/declared/toml_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/suggest.hpp"

namespace waggle::declared {
namespace {

/// What a value is called in a complaint.
std::string_view kind_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::flag: return "true or false";
    case Node::Kind::integer: return "a whole number";
    case Node::Kind::real: return "a number";
    case Node::Kind::text: return "a text";
    case Node::Kind::list: return "a list";
    case Node::Kind::table: return "a table";
    default: return "a date or time";
  }
}

std::string wrong_kind(std::string_view key, std::string_view wanted, const Node& found) {
  return fmt::format("'{}' is {}, not {}", key, wanted, kind_of(found));
}

std::optional<double> as_number(const Node& node) {
  return node.is(Node::Kind::real)      ? std::optional(node.real)
         : node.is(Node::Kind::integer) ? std::optional(static_cast<double>(node.integer))
                                        : std::nullopt;
}

/// TOML has "nan" and "inf", which nothing is above or below of, or everything.
bool is_endless(const std::optional<double>& value) {
  return value && !std::isfinite(*value);
}

}  // namespace

void Complaint::at(Place where, const std::string& what, const std::string& hint) {
  if (!error_) {
    error_ = Error{.fault = Fault::usage, .what = fmt::format("{}: {}", place_of(where).text(), what), .hint = hint};
  }
}

const Node* TomlTable::find(const char* key) {
  known_.emplace_back(key);
  return table_.find(key);
}

const Node* TomlTable::table(const char* key) {
  const auto* node = find(key);
  if (node != nullptr && !node->is(Node::Kind::table)) {
    complaint_.at(node->place, wrong_kind(key, "a table", *node), fmt::format("write {} = {{ … }}", key));
    return nullptr;
  }
  return node;
}

std::string TomlTable::text(const char* key) {
  const auto* node = find(key);
  if (node == nullptr) {
    return {};
  }
  if (!node->is(Node::Kind::text)) {
    complaint_.at(node->place, wrong_kind(key, "a text", *node));
    return {};
  }
  return node->text;
}

std::string TomlTable::some_text(const char* key) {
  auto value = text(key);
  if (value.empty()) {
    complain(key, fmt::format("{} needs '{}'", what_, key));
  }
  return value;
}

std::optional<double> TomlTable::number(const char* key) {
  const auto* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto value = as_number(*node);
  if (!value) {
    complaint_.at(node->place, wrong_kind(key, "a number", *node));
  } else if (is_endless(value)) {
    complaint_.at(node->place, fmt::format("'{}' cannot be {}", key, *value));
  }
  return value;
}

std::vector<std::string> TomlTable::texts(const char* key) {
  const auto* node = find(key);
  if (node == nullptr) {
    return {};
  }
  if (node->is(Node::Kind::text)) {
    return {node->text};
  }
  if (!node->is(Node::Kind::list)) {
    complaint_.at(node->place, wrong_kind(key, "a text or a list of texts", *node));
    return {};
  }
  std::vector<std::string> list;
  for (const Node& each : node->items) {
    if (each.is(Node::Kind::text)) {
      list.push_back(each.text);
    } else {
      complaint_.at(each.place, fmt::format("'{}' holds texts, not {}", key, kind_of(each)));
    }
  }
  return list;
}

std::map<std::string, double> TomlTable::numbers(const char* key) {
  std::map<std::string, double> found;
  if (const auto* own = table(key)) {
    for (const Node& node : own->items) {
      const auto value = as_number(node);
      if (is_endless(value)) {
        complaint_.at(node.place, fmt::format("'{}' cannot be {}", node.key, *value));
      } else if (value) {
        found[node.key] = *value;
      } else {
        complaint_.at(node.place, wrong_kind(node.key, "a number", node));
      }
    }
  }
  return found;
}

std::map<std::string, std::string> TomlTable::values(const char* key) {
  std::map<std::string, std::string> found;
  if (const auto* own = table(key)) {
    for (const Node& node : own->items) {
      if (node.is_single()) {
        found[node.key] = node.written();
      } else {
        complaint_.at(node.place, wrong_kind(node.key, "a single value", node));
      }
    }
  }
  return found;
}

std::vector<const Node*> TomlTable::tables(const char* key) {
  const auto* node = find(key);
  if (node == nullptr) {
    return {};
  }
  if (!node->is(Node::Kind::list)) {
    complaint_.at(node->place, wrong_kind(key, "a list of tables", *node), fmt::format("write [[{}]]", key));
    return {};
  }
  std::vector<const Node*> list;
  for (const Node& each : node->items) {
    if (each.is(Node::Kind::table)) {
      list.push_back(&each);
    } else {
      complaint_.at(each.place, fmt::format("'{}' holds tables, not {}", key, kind_of(each)));
    }
  }
  return list;
}

std::optional<std::string> TomlTable::word(const char* key, const std::vector<std::string>& words) {
  auto value = text(key);
  if (!has(key) || std::ranges::find(words, value) != words.end()) {
    return has(key) ? std::optional(std::move(value)) : std::nullopt;
  }
  const auto near = suggest(value, words);
  complain(
      key, fmt::format("'{}' cannot be '{}'", key, value),
      near.empty() ? fmt::format("write one of: {}", fmt::join(words, ", ")) : fmt::format("did you mean '{}'?", near));
  return std::nullopt;
}

void TomlTable::refuse_others(std::string_view besides) {
  const auto known = [&](const Node& member) { return std::ranges::find(known_, member.key) != known_.end(); };
  const auto first = std::ranges::find_if_not(table_.items, known);
  if (first != table_.items.end()) {
    const auto near = suggest(first->key, known_);
    complaint_.at(first->key_place, fmt::format("{} has no '{}'", what_, first->key),
                  near.empty() ? fmt::format("it has {}{}", fmt::join(known_, ", "), besides)
                               : fmt::format("did you mean '{}'?", near));
  }
}

void TomlTable::complain(const char* key, const std::string& what, const std::string& hint) {
  const auto* node = table_.find(key);
  complaint_.at(node != nullptr ? node->place : table_.place, what, hint);
}

}  // namespace waggle::declared
