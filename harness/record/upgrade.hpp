// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace waggle::record {

/// A document of version 1 ("waggle-record/1") in the form of version 2: lists of parties in place of members named
/// after the two sides, and empty values for what older records do not tell. Any other document stays as it is. What is
/// malformed is left to whoever reads the result.
nlohmann::json upgrade(nlohmann::json document);

}  // namespace waggle::record
