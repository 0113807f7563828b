// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/answers/advice.hpp"

/// Parts of an advice.
namespace waggle::answers {

/// "the goodput of", "the CPU time per GiB of": what comes between a ratio and a name.
std::string_view noun_of(std::string_view figure);
/// "17.8 Gbit/s", "0.56 s of CPU per GiB", "88.0 µs median latency".
std::string amount_text(std::string_view figure, double value);

/// What speaks against the one that is taken: what it costs beside others, what it wastes, why it cannot run here now.
std::vector<std::string> doubts_of(const Advice& advice, const Demand& demand);

/// Fills in how sure an advice is, and because of what.
void weigh(Advice& advice, const Here& here);

}  // namespace waggle::answers
