// SPDX-License-Identifier: BSD-2-Clause
#include "base/suggest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace waggle {
namespace {

/// Levenshtein's distance: insertions, deletions and replacements that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string suggest(std::string_view typed, std::span<const std::string> known) {
  std::string best;
  std::size_t least = std::max<std::size_t>(1, typed.size() / 3) + 1;
  for (const auto& name : known) {
    // Nobody means a name by something several times as long; and the distance takes time in proportion to both.
    if (typed.size() > 2 * name.size() + 2) {
      continue;
    }
    if (const std::size_t wrong = edit_distance(typed, name); wrong < least) {
      least = wrong;
      best = name;
    }
  }
  return best;
}

}  // namespace waggle
