// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/report/style.hpp"

namespace waggle::report {

/// A table of text: aligned columns under headings, as many of them as the terminal's width allows.
class Grid {
 public:
  struct Column {
    std::string heading;
    bool right = true;      ///< numbers are right-aligned
    unsigned keep = 0;      ///< columns of the lowest `keep` are dropped first when the terminal is too narrow
    std::size_t least = 0;  ///< minimum width, for tables that should line up with each other
    bool wraps = false;     ///< the last column may: its text is broken over lines rather than dropped
  };
  struct Cell {
    std::string text;
    Ink ink = Ink::plain;
  };

  explicit Grid(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// Missing cells at the end stay empty.
  void add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }
  /// Lines ending in newlines; headings only when one is not empty. Says in a last line what it had to leave out.
  std::string text(const Style& style) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// `value` with three digits that matter: "0.0123", "1.00", "41.7", "1,234".
std::string format_number(double value);
/// The same for what is counted: no decimals when there is nothing behind the point.
std::string format_amount(double value);

}  // namespace waggle::report
