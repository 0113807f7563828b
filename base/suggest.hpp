// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace waggle {

/// The one of `known` that `typed` most likely meant: the fewest letters wrong, and at most a third of them. Empty when
/// none is that close.
std::string suggest(std::string_view typed, std::span<const std::string> known);

}  // namespace waggle
