// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// A TOML document: values with their places, and keys in the order in which they stand. The only file that knows the
/// library is toml_tree.cpp.
namespace waggle::declared {

struct Place {
  std::uint32_t line = 0;  ///< from 1 on, as the columns
  std::uint32_t column = 0;
  auto operator<=>(const Place&) const = default;
};

struct FilePlace : Place {
  std::string file;
  std::string text() const;  ///< "FILE:LINE:COLUMN"
};

struct Node {
  enum class Kind { flag, integer, real, text, time, list, table };

  Kind kind = Kind::table;
  bool flag = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;         ///< of texts
  std::vector<Node> items;  ///< of lists and tables
  std::string key;          ///< of a member of a table
  Place key_place;
  Place place;

  bool is(Kind wanted) const { return kind == wanted; }
  /// Whether it is a single value that somebody could write on a command line: no list, table, date or time.
  bool is_single() const { return kind < Kind::time; }
  /// The member of that key; nothing when there is none.
  const Node* find(std::string_view name) const;
  /// A single value as somebody writes it: "64KiB", "4", "0.5", "true".
  std::string written() const;
};

/// "FILE:LINE:COLUMN: " in front of what is wrong there.
std::unexpected<Error> wrong_at(const std::filesystem::path& file, Place place, Error error);
/// The same of something that was not said by anything else: Fault::usage.
std::unexpected<Error> wrong_at(const std::filesystem::path& file, Place place, std::string what,
                                std::string hint = {});

/// Fault::usage with the place for what is no TOML; the errors of files.
Result<Node> read_toml(const std::filesystem::path& file);

}  // namespace waggle::declared
