// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <vector>

#include "harness/record/record.hpp"
#include "harness/report/grid.hpp"

namespace waggle::report {

/// Contestants of a record with a summary each, in the order of the rows.
using Rows = std::vector<const record::Contestant*>;

/// A row for each, with the columns that its workload is judged by: goodput, operations or idle CPU.
Grid compare_grid(const record::Record& record, const Rows& rows);

}  // namespace waggle::report
