// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/option_json.hpp"

#include "harness/record/json_text.hpp"

namespace waggle::experiment {

using nlohmann::json;
using Kind = OptionType::Kind;

json to_json(const OptionValue& value) {
  return std::visit(
      [](const auto& known) -> json {
        if constexpr (std::same_as<std::decay_t<decltype(known)>, std::monostate>) {
          return nullptr;
        } else {
          return known;
        }
      },
      value);
}

json to_json(const OptionValues& values) {
  json object = json::object();
  for (const auto& [name, value] : values) {
    object[name] = to_json(value);
  }
  return object;
}

Result<OptionValue> value_from_json(const OptionType& type, const json& value) {
  OptionValue read;
  const bool real = type.kind == Kind::seconds || type.kind == Kind::rate || type.kind == Kind::share;
  const auto is_text = [](const json& item) { return item.is_string(); };
  if (value.is_string()) {
    return type.parse(value.get_ref<const std::string&>());
  }
  if (value.is_boolean()) {
    read = value.get<bool>();
  } else if (real && value.is_number()) {
    read = value.get<double>();
  } else if (value.is_number_integer() && value >= 0) {
    read = value.get<std::uint64_t>();
  } else if (value.is_array() && std::ranges::all_of(value, is_text)) {
    read = value.get<std::vector<std::string>>();
  } else if (!value.is_null()) {
    return fail(Fault::usage, record::json_text(value) + " is no value that an option has",
                type.shown.empty() ? "write true or false" : "write it like " + type.shown);
  }
  WAGGLE_TRY(type.check(read));
  return read;
}

Result<OptionValues> values_from_json(const std::vector<OptionInfo>& options, const json& object) {
  if (!object.is_object()) {
    return fail(Fault::usage, "options are members of an object", "write {\"NAME\": VALUE}");
  }
  OptionValues values;
  for (const auto& [name, value] : object.items()) {
    WAGGLE_LET(option, find_option(options, name));
    auto read = value_from_json(option->type, value);
    if (!read) {
      return in_option(name, std::move(read).error());
    }
    values.emplace(name, *std::move(read));
  }
  return values;
}

json describe(const std::vector<OptionInfo>& options) {
  json all = json::array();
  for (const OptionInfo& option : options) {
    json one{{"name", option.name},
             {"type", word_of(option.type.kind)},
             {"default", option.default_value},
             {"help", option.help}};
    if (!option.group.empty()) {
      one["flag"] = option.on_command_line();
    }
    if (option.type.kind == Kind::choice || option.type.kind == Kind::flag) {
      one["values"] = option.type.words;
    }
    if (option.type.kind == Kind::number || option.type.kind == Kind::bytes) {
      one["least"] = option.type.least;
      one["most"] = option.type.most;
    }
    if (option.type.or_) {
      one["or"] = *option.type.or_;
    }
    if (!option.links.empty()) {
      one["links"] = option.links;
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace waggle::experiment
