// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>

#include "harness/cli/command.hpp"
#include "harness/report/style.hpp"

namespace waggle::cli {

/// What stdout is: terminals have a width and colours (unless `global.plain`), pipes and files neither.
report::Style output_style(const Global& global);

/// True when stderr is a terminal on which a moving line may be drawn.
bool stderr_is_terminal();
/// Columns of stderr's terminal, 80 when it does not say.
std::size_t stderr_width();

}  // namespace waggle::cli
