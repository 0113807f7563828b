// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/toml_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "base/suggest.hpp"

namespace waggle::verdict {
namespace {

/// What a value is called in a complaint.
std::string_view kind_of(const toml::node& node) {
  return node.is_string()           ? "a text"
         : node.is_integer()        ? "a whole number"
         : node.is_floating_point() ? "a number"
         : node.is_boolean()        ? "true or false"
         : node.is_array()          ? "a list"
         : node.is_table()          ? "a table"
                                    : "a date or time";
}

std::string wrong_kind(std::string_view key, std::string_view wanted, const toml::node& found) {
  return fmt::format("'{}' is {}, not {}", key, wanted, kind_of(found));
}

std::optional<double> as_number(const toml::node& node) {
  return node.is_number() ? node.value<double>() : std::nullopt;
}

/// TOML has "nan" and "inf", which nothing is above or below of, or everything.
bool is_endless(const std::optional<double>& value) {
  return value && !std::isfinite(*value);
}

}  // namespace

std::optional<std::string> written(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    return text->get();
  }
  if (const auto* number = node.as_integer()) {
    return std::to_string(number->get());
  }
  if (const auto* number = node.as_floating_point()) {
    return fmt::format("{}", number->get());
  }
  if (const auto* flag = node.as_boolean()) {
    return flag->get() ? "true" : "false";
  }
  return std::nullopt;
}

std::string FilePlace::text() const {
  return fmt::format("{}:{}:{}", file, line, column);
}

FilePlace Complaint::place_of(const toml::source_region& where) const {
  return {.file = file_, .line = where.begin.line, .column = where.begin.column};
}

void Complaint::at(const toml::source_region& where, const std::string& what, const std::string& hint) {
  if (!error_) {
    error_ = Error{.fault = Fault::usage, .what = fmt::format("{}: {}", place_of(where).text(), what), .hint = hint};
  }
}

const toml::node* TomlTable::find(const char* key) {
  known_.emplace_back(key);
  return table_.get(key);
}

const toml::table* TomlTable::table(const char* key) {
  const auto* node = find(key);
  if (node != nullptr && !node->is_table()) {
    complaint_.at(node->source(), wrong_kind(key, "a table", *node), fmt::format("write {} = {{ … }}", key));
  }
  return node == nullptr ? nullptr : node->as_table();
}

std::string TomlTable::text(const char* key) {
  const auto* node = find(key);
  if (node == nullptr) {
    return {};
  }
  if (!node->is_string()) {
    complaint_.at(node->source(), wrong_kind(key, "a text", *node));
    return {};
  }
  return node->as_string()->get();
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
    complaint_.at(node->source(), wrong_kind(key, "a number", *node));
  } else if (is_endless(value)) {
    complaint_.at(node->source(), fmt::format("'{}' cannot be {}", key, *value));
  }
  return value;
}

std::vector<std::string> TomlTable::texts(const char* key) {
  const auto* node = find(key);
  if (node == nullptr) {
    return {};
  }
  if (const auto* one = node->as_string()) {
    return {one->get()};
  }
  std::vector<std::string> list;
  if (const auto* many = node->as_array()) {
    for (const auto& each : *many) {
      if (const auto* one = each.as_string()) {
        list.push_back(one->get());
      } else {
        complaint_.at(each.source(), fmt::format("'{}' holds texts, not {}", key, kind_of(each)));
      }
    }
  } else {
    complaint_.at(node->source(), wrong_kind(key, "a text or a list of texts", *node));
  }
  return list;
}

std::map<std::string, double> TomlTable::numbers(const char* key) {
  std::map<std::string, double> found;
  if (const auto* own = table(key)) {
    for (const auto& [name, node] : *own) {
      const auto value = as_number(node);
      if (is_endless(value)) {
        complaint_.at(node.source(), fmt::format("'{}' cannot be {}", name.str(), *value));
      } else if (value) {
        found[std::string(name.str())] = *value;
      } else {
        complaint_.at(node.source(), wrong_kind(name.str(), "a number", node));
      }
    }
  }
  return found;
}

std::map<std::string, std::string> TomlTable::values(const char* key) {
  std::map<std::string, std::string> found;
  if (const auto* own = table(key)) {
    for (const auto& [name, node] : *own) {
      if (auto value = written(node)) {
        found[std::string(name.str())] = *std::move(value);
      } else {
        complaint_.at(node.source(), wrong_kind(name.str(), "a single value", node));
      }
    }
  }
  return found;
}

std::vector<const toml::table*> TomlTable::tables(const char* key) {
  const auto* node = find(key);
  if (node == nullptr) {
    return {};
  }
  const auto* array = node->as_array();
  if (array == nullptr) {
    complaint_.at(node->source(), wrong_kind(key, "a list of tables", *node), fmt::format("write [[{}]]", key));
    return {};
  }
  std::vector<const toml::table*> list;
  for (const auto& each : *array) {
    if (const auto* one = each.as_table()) {
      list.push_back(one);
    } else {
      complaint_.at(each.source(), fmt::format("'{}' holds tables, not {}", key, kind_of(each)));
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

void TomlTable::refuse_others() {
  // In the order of the file, whatever the order of the table is.
  const toml::key* first = nullptr;
  for (const auto& [key, node] : table_) {
    const bool known = std::ranges::find(known_, key.str()) != known_.end();
    if (!known && (first == nullptr || key.source().begin < first->source().begin)) {
      first = &key;
    }
  }
  if (first != nullptr) {
    const auto near = suggest(first->str(), known_);
    complaint_.at(
        first->source(), fmt::format("{} has no '{}'", what_, first->str()),
        near.empty() ? fmt::format("it has {}", fmt::join(known_, ", ")) : fmt::format("did you mean '{}'?", near));
  }
}

void TomlTable::complain(const char* key, const std::string& what, const std::string& hint) {
  const auto* node = table_.get(key);
  complaint_.at(node != nullptr ? node->source() : table_.source(), what, hint);
}

Result<toml::table> read_toml(const std::filesystem::path& path) {
  std::error_code ignored;
  if (const auto status = std::filesystem::status(path, ignored); exists(status) && !is_regular_file(status)) {
    return fail(Fault::usage, fmt::format("{} is no regular file", path.native()));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail_errno(fmt::format("cannot read {}", path.native()));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  try {
    return toml::parse(text, path.native());
  } catch (const toml::parse_error& error) {
    std::string what(error.description());
    std::ranges::replace(what, '\n', ' ');
    const auto& begin = error.source().begin;
    return fail(Fault::usage, fmt::format("{}:{}:{}: {}", path.native(), begin.line, begin.column, what));
  }
}

}  // namespace waggle::verdict
