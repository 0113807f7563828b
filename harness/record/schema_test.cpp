// SPDX-License-Identifier: BSD-2-Clause
// The schema that others read records by, held against the descriptions that they are written by.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "harness/record/archive.hpp"
#include "harness/record/record.hpp"

namespace waggle::record {
namespace {

using nlohmann::json;

json schema() {
  const char* source = std::getenv("WAGGLE_SOURCE");
  std::ifstream file(std::string(source != nullptr ? source : ".") + "/results/record.schema.json");
  return json::parse(file, nullptr, false);
}

/// What is common to all objects that are compared.
struct Comparison {
  json root;
  std::vector<std::string> problems;
  const json& resolved(const json& node) const {
    const auto reference = node.find("$ref");
    return reference == node.end() ? node
                                   : resolved(root.at(json::json_pointer(reference->get<std::string>().substr(1))));
  }
};

bool names_type(const json& node, const char* type) {
  const auto types = node.value("type", json::array());
  return types == type || (types.is_array() && std::ranges::find(types, type) != types.end());
}

/// The alternative that is not null.
const json& some(const Comparison& comparison, const json& node) {
  const json& found = comparison.resolved(node);
  if (!found.contains("oneOf")) {
    return found;
  }
  const auto& choices = found.at("oneOf");
  return comparison.resolved(*std::ranges::find_if(choices, [](const json& one) { return !names_type(one, "null"); }));
}

/// Whether the schema of an object requires a member.
bool lists(const json& node, const std::string& name) {
  const auto required = node.value("required", json::array());
  return std::ranges::any_of(required, [&](const json& one) { return one == name; });
}

bool takes_null(const Comparison& comparison, const json& node) {
  const json& found = comparison.resolved(node);
  return names_type(found, "null") ||
         (found.contains("oneOf") &&
          std::ranges::any_of(found.at("oneOf"), [](const json& one) { return names_type(one, "null"); }));
}

/// Walks a description beside the schema of the object.
class Against {
 public:
  Against(Comparison& comparison, const json& node, std::string path)
      : comparison_(comparison), node_(node), path_(std::move(path)) {}
  template <typename T>
  void member(const char* name, T& value) {
    if (const json* found = property(name)) {
      expect(always(name) || sometimes(node_, name), name, "is not required");
      expect(!takes_null(comparison_, *found), name, "may be null, of which the type knows nothing");
      compare(value, *found, name);
    }
  }
  template <typename T>
  void nullable(const char* name, std::optional<T>& value) {
    if (const json* found = property(name)) {
      expect(always(name), name, "is not required");
      expect(takes_null(comparison_, *found), name, "may not be null");
      compare(value.emplace(), *found, name);
    }
  }
  template <typename T>
  void optional(const char* name, std::optional<T>& value) {
    optional(name, value.emplace());
  }
  template <typename T>
  void optional(const char* name, T& value) {
    if (const json* found = property(name)) {
      expect(!always(name), name, "is required");
      compare(value, *found, name);
    }
  }
  template <typename T>
  void expected(const char* name, std::optional<T>& value) {
    member(name, value.emplace());
  }
  void rest(Opaque&) { rest_ = true; }
  bool when(bool) const { return true; }
  /// All that the schema has and the description has not.
  void finish() {
    const json properties = node_.value("properties", json::object());
    for (const auto& [name, value] : properties.items()) {
      expect(rest_ || described_.contains(name), name.c_str(), "is in the schema only");
    }
    expect(rest_ || node_.value("additionalProperties", json(true)) == false || node_.value("title", "") == "any", "",
           "takes members that are not described");
  }

  template <typename T>
  void compare(T& value, const json& schema, const std::string& name) {
    const json& node = some(comparison_, schema);
    const std::string path = path_ + "." + name;
    if constexpr (Described<T>) {
      Against inner(comparison_, node, path);
      T::fields(value, inner);
      inner.finish();
    } else if constexpr (kIsList<T>) {
      expect(names_type(node, "array"), name.c_str(), "is no array");
      compare(value.emplace_back(), node.at("items"), name + "[]");
    } else if constexpr (kIsMap<T>) {
      if (node.contains("additionalProperties") && node.at("additionalProperties").is_object()) {
        compare(value[""], node.at("additionalProperties"), name + "{}");
      }
      expect(names_type(node, "object"), name.c_str(), "is no object");
    } else if constexpr (Named<T>) {
      for (const auto& word : node.at("enum")) {
        expect(named<T>(word.get<std::string>()).has_value(), name.c_str(), "has words that the type has not");
      }
    } else if constexpr (std::same_as<T, bool>) {
      expect(names_type(node, "boolean"), name.c_str(), "is no boolean");
    } else if constexpr (std::floating_point<T>) {
      expect(names_type(node, "number"), name.c_str(), "is no number");
    } else if constexpr (std::is_arithmetic_v<T>) {
      expect(names_type(node, "integer"), name.c_str(), "is no integer");
    } else if constexpr (std::same_as<T, std::string>) {
      expect(names_type(node, "string") || node.contains("enum") || node.contains("const"), name.c_str(), "is no text");
    }
  }

 private:
  bool always(const std::string& name) const { return lists(node_, name); }
  /// In what holds of good ones.
  static bool sometimes(const json& node, const std::string& name) {
    if (!node.contains("then")) {
      return false;
    }
    return lists(node.at("then"), name) || sometimes(node.at("then"), name);
  }
  const json* property(const char* name) {
    described_.insert(name);
    const auto properties = node_.find("properties");
    if (properties == node_.end() || !properties->contains(name)) {
      expect(false, name, "is not in the schema");
      return nullptr;
    }
    return &properties->at(name);
  }
  void expect(bool fine, const char* name, const char* what) {
    if (!fine) {
      comparison_.problems.push_back(path_ + "." + name + " " + what);
    }
  }

  Comparison& comparison_;
  const json& node_;
  std::string path_;
  std::set<std::string> described_;
  bool rest_ = false;
};

std::vector<std::string> problems_of(const json& schema) {
  Comparison comparison{.root = schema, .problems = {}};
  Record record;
  Against against(comparison, comparison.root, "record");
  Record::fields(record, against);
  against.finish();
  return comparison.problems;
}

TEST_CASE("every member that is described is in the schema, and every one of the schema is described") {
  const json found = schema();
  REQUIRE(found.is_object());
  CHECK(problems_of(found) == std::vector<std::string>{});
  CHECK(found.at("$id") == kSchema);
}

TEST_CASE("a schema that differs is found out") {
  json more = schema();
  more["definitions"]["run"]["properties"]["colour"] = {{"type", "string"}};
  CHECK(problems_of(more) == std::vector<std::string>{"record.contestants[].runs[].colour is in the schema only"});
  json fewer = schema();
  fewer["definitions"]["usage"]["properties"].erase("user_s");
  CHECK(problems_of(fewer).size() == 1);
  json loose = schema();
  loose["definitions"]["interval"]["required"] = json::array({"median", "high", "runs", "coverage", "drift"});
  CHECK_FALSE(problems_of(loose).empty());
  json text = schema();
  text["definitions"]["timeline"] = 1;
  text["definitions"]["run"]["properties"]["verify_seconds"] = {{"type", "string"}};
  CHECK(problems_of(text).size() == 1);
  json words = schema();
  words["definitions"]["role"]["enum"].push_back("bystander");
  CHECK_FALSE(problems_of(words).empty());
}

}  // namespace
}  // namespace waggle::record
