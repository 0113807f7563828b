// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The figures (report/figures.hpp) that a rule may ask for, and how they are known.
namespace waggle::verdict {

/// All of them. What is only modelled is none: a verdict rests on what was measured. Nor are percentiles of latency:
/// those of all runs merged have no interval.
const std::vector<std::string>& figure_names();
bool is_figure(std::string_view name);

/// Whether it differs from run to run with all that the machine does meanwhile, so that only an interval tells
/// anything: times, rates, memory, what a link lost. Copies and calls do not: what was counted is what the datapath
/// does.
bool varies(std::string_view name);

/// The figure of a rule with its value as a sentence has it: "1.34 Gbit/s", "0.00 copies/B", "4.02 mode switches/MiB".
std::string figure_text(std::string_view name, std::string_view unit, double value);

}  // namespace waggle::verdict
