// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/grid.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/units.hpp"

namespace waggle::report {
namespace {

constexpr std::size_t kGap = 2;
/// Width that a wrapping column needs at least.
constexpr std::size_t kWrapped = 20;

/// Indices of the columns that fit, in order: the least important go first, of equals the rightmost.
std::vector<std::size_t> fitting(const std::vector<Grid::Column>& columns, const std::vector<std::size_t>& widths,
                                 std::size_t limit) {
  std::vector<std::size_t> kept(columns.size());
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  const auto total = [&] {
    return std::accumulate(kept.begin(), kept.end(), std::size_t{0},
                           [&](std::size_t sum, std::size_t c) { return sum + widths[c] + kGap; }) -
           kGap;
  };
  while (limit != 0 && kept.size() > 1 && total() > limit) {
    kept.erase(std::ranges::min_element(
        kept, [&](auto a, auto b) { return std::pair(columns[a].keep, b) < std::pair(columns[b].keep, a); }));
  }
  return kept;
}

std::string padded(const Style& style, const Grid::Cell& cell, std::size_t width, bool right, bool last) {
  const std::size_t used = columns(cell.text);
  const std::string space(width > used ? width - used : 0, ' ');
  const std::string text = paint(style, cell.ink, cell.text);
  return right ? space + text : last ? text : text + space;
}

void append_row(std::string& out, const Style& style, const std::vector<Grid::Column>& columns,
                const std::vector<std::size_t>& widths, const std::vector<std::size_t>& kept,
                const std::vector<Grid::Cell>& row) {
  std::string line;
  std::size_t before = 0;
  for (const std::size_t c : kept) {
    const bool last = c == kept.back();
    Grid::Cell cell = c < row.size() ? row[c] : Grid::Cell{};
    if (columns[c].wraps && style.width > before) {
      cell.text = wrap({.width = style.width}, std::string(before, ' ') + cell.text, before).substr(before);
    }
    before += widths[c] + kGap;
    line += padded(style, cell, widths[c], columns[c].right, last) + (last ? "" : std::string(kGap, ' '));
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

}  // namespace

void Grid::add(std::vector<Cell> row) {
  rows_.push_back(std::move(row));
}

std::string Grid::text(const Style& style) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = std::max(columns(columns_[c].heading), columns_[c].least);
    for (const auto& row : rows_) {
      width = std::max(width, c < row.size() ? columns(row[c].text) : 0);
    }
    if (columns_[c].wraps && style.width != 0) {
      width = std::min(width, kWrapped);
    }
    widths.push_back(width);
  }
  const auto kept = fitting(columns_, widths, style.width);
  std::string out;
  if (std::ranges::any_of(columns_, [](const Column& column) { return !column.heading.empty(); })) {
    std::vector<Cell> headings;
    for (const auto& column : columns_) {
      headings.push_back({column.heading, Ink::strong});
    }
    append_row(out, style, columns_, widths, kept, headings);
  }
  for (const auto& row : rows_) {
    append_row(out, style, columns_, widths, kept, row);
  }
  std::vector<std::string> dropped;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (std::ranges::find(kept, c) == kept.end()) {
      dropped.push_back(columns_[c].heading);
    }
  }
  if (!dropped.empty()) {
    const auto note = fmt::format("(too narrow for: {}; widen the terminal or use --json)", fmt::join(dropped, ", "));
    out += paint(style, Ink::faint, wrap(style, note, 1)) + "\n";
  }
  return out;
}

std::string format_number(double value) {
  const double size = std::abs(value);
  if (size == 0) {
    return "0";
  }
  if (size >= 999.5) {
    return (value < 0 ? "-" : "") + format_count(static_cast<std::uint64_t>(std::llround(size)));
  }
  if (size < 0.0995) {
    return fmt::format("{:.2g}", value);
  }
  return fmt::format("{:.{}f}", value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

std::string format_amount(double value) {
  return value >= 0 && value == std::floor(value) ? format_count(static_cast<std::uint64_t>(value))
                                                  : format_number(value);
}

}  // namespace waggle::report
