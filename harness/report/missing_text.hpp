// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

#include "harness/record/record.hpp"

namespace waggle::report {

/// "An older record, which does not tell which machine it was, …": what today's records have and this one lacks; empty
/// where nothing is missing.
std::string missing_text(const record::Record& record);

}  // namespace waggle::report
