// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>

#include "harness/record/record.hpp"
#include "harness/report/grid.hpp"

namespace waggle::report {

/// What each party of a contestant with a summary did per run: copies, system calls, switches, faults, memory and the
/// datapath's own counts, a column for each party. `label`: the least width of the first column.
Grid party_grid(const record::Contestant& contestant, std::size_t label);

}  // namespace waggle::report
