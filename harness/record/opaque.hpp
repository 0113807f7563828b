// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json.hpp>

namespace waggle::record {

/// Members of an object that the record keeps and shows, and that nothing computes with.
struct Opaque {
  nlohmann::json members = nlohmann::json::object();
};

}  // namespace waggle::record
