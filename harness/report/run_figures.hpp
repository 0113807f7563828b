// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <span>
#include <string_view>

#include "harness/record/run.hpp"
#include "harness/report/figures.hpp"

namespace waggle::report {

/// A figure that every run has. One that is no number there (nothing was moved, no time went by) is left out.
struct RunFigure {
  std::string_view name;
  std::string_view unit;
  Better better;
  double (*of)(const record::Run& run);
};

std::span<const RunFigure> run_figures();

/// Null when runs have none of that name.
const RunFigure* run_figure(std::string_view name);

}  // namespace waggle::report
