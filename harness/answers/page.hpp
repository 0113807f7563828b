// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "harness/answers/record_set.hpp"

namespace waggle::answers {

/// The page of a report: what results/page/ builds, with the model and the records inside, so that it needs nothing but
/// a browser. `model`: its JSON. Fault::missing when the page was not built.
Result<std::string> page_of(const RecordSet& set, std::string_view model);

}  // namespace waggle::answers
