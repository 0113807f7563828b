// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json.hpp>

#include "harness/record/record.hpp"

namespace waggle::report {

/// The record of version 1 that `brief` tells the interesting parts of; all else is some value. Throws the error of one
/// that is none even so.
record::Record whole_record(const nlohmann::json& brief);

}  // namespace waggle::report
