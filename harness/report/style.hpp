// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace waggle::report {

/// How text may look where it goes.
struct Style {
  std::size_t width = 0;  ///< columns; 0: as wide as the text needs
  bool colour = false;
};

enum class Ink { plain, strong, good, warning, bad, faint };

/// `text` in that ink, or unchanged without colour.
std::string paint(const Style& style, Ink ink, std::string_view text);

/// Columns that `text` takes on a terminal; one per code point, which holds for all that we print, and none for the
/// codes of paint().
std::size_t columns(std::string_view text);

/// Breaks `text` at spaces so that no line is wider than `style.width`; lines after the first start with `indent`
/// spaces.
std::string wrap(const Style& style, std::string_view text, std::size_t indent);

}  // namespace waggle::report
