// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

/// JSON where it enters and leaves the program. Inside, its strings hold names and texts as the bytes that they are.
namespace waggle::record {

/// `value` as valid JSON that loses nothing and that a terminal may be shown: strings as utf8_of() writes them
/// (base/text.hpp), characters that steer a terminal as \uNNNN. `indent` as in nlohmann's dump(): -1 for one line.
std::string json_text(const nlohmann::json& value, int indent = -1);

/// What json_text() was given, or any other JSON. Fault::corrupt when it is none, or nested deeper than 64.
Result<nlohmann::json> parse_json(std::string_view text);

}  // namespace waggle::record
