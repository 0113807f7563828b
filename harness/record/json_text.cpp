// SPDX-License-Identifier: BSD-2-Clause
#include "harness/record/json_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace waggle::record {
namespace {

using nlohmann::json;

/// Walking and dumping are recursive: a file from elsewhere must not decide how deep.
constexpr int kDeepest = 64;

bool is_deeper(const json& value, int limit) {
  return value.is_structured() &&
         (limit == 0 || std::ranges::any_of(value, [&](const json& inner) { return is_deeper(inner, limit - 1); }));
}

template <typename Change>
json changed(const json& value, const Change& change) {
  if (value.is_string()) {
    return change(value.get_ref<const std::string&>());
  }
  if (value.is_array()) {
    json list = json::array();
    for (const json& inner : value) {
      list.push_back(changed(inner, change));
    }
    return list;
  }
  if (value.is_object()) {
    json object = json::object();
    for (const auto& [key, inner] : value.items()) {
      object[change(key)] = changed(inner, change);
    }
    return object;
  }
  return value;
}

}  // namespace

std::string json_text(const json& value, int indent) {
  // What remains to be escaped is in strings, and \uNNNN is JSON's own escape; line ends are the indentation's.
  return waggle::printable(changed(value, utf8_of).dump(indent), "\n");
}

Result<json> parse_json(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    return fail(Fault::corrupt, "this is not JSON");
  }
  if (is_deeper(value, kDeepest)) {
    return fail(Fault::corrupt, "this JSON is nested too deeply");
  }
  return changed(value, bytes_of);
}

}  // namespace waggle::record
