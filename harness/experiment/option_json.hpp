// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/option_table.hpp"

/// Described options as JSON: records, and what agents are told.
namespace waggle::experiment {

nlohmann::json to_json(const OptionValue& value);
nlohmann::json to_json(const OptionValues& values);

/// Fault::usage, without the name of the option, when it is no value of this type. Text is read as a user's would be,
/// so that "1GiB" and 1073741824 are the same.
Result<OptionValue> value_from_json(const OptionType& type, const nlohmann::json& json);
/// The members of an object by the options of their names. Fault::usage, naming it, for the first that is none of them
/// or does not fit.
Result<OptionValues> values_from_json(const std::vector<OptionInfo>& options, const nlohmann::json& object);

template <typename S>
nlohmann::json to_json(const OptionTable<S>& table, const S& of) {
  return to_json(table.values(of));
}

template <typename S>
Result<> set_from_json(const OptionTable<S>& table, S& into, const nlohmann::json& object) {
  WAGGLE_LET(values, values_from_json(table.infos(), object));
  for (const auto& [name, value] : values) {
    WAGGLE_TRY(table.set(into, name, value));
  }
  return {};
}

/// What a program has to know of options to offer them: names, types, units, defaults, bounds, help, and the flags of
/// those that `harness run` has.
nlohmann::json describe(const std::vector<OptionInfo>& options);

}  // namespace waggle::experiment
