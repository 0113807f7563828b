// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <toml++/toml.h>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "harness/verdict/file_place.hpp"

/// Tables of TOML files, read key by key. Whatever is wrong is told once, with its place: "FILE:LINE:COLUMN: …".
namespace waggle::verdict {

/// The first thing that was not as it should be; after it the rest is of no interest.
class Complaint {
 public:
  explicit Complaint(std::string file) : file_(std::move(file)) {}
  void at(const toml::source_region& where, const std::string& what, const std::string& hint = {});
  FilePlace place_of(const toml::source_region& where) const;
  const std::optional<Error>& error() const { return error_; }

 private:
  std::string file_;
  std::optional<Error> error_;
};

/// A single value as somebody would write it on a command line; nothing for lists and tables.
std::optional<std::string> written(const toml::node& node);

/// One table. Each key that is asked for is known; refuse_others() complains of those that nobody has asked for.
class TomlTable {
 public:
  /// `what`: what the table describes, for complaints: "a verdict".
  TomlTable(const toml::table& table, std::string_view what, Complaint& complaint)
      : table_(table), what_(what), complaint_(complaint) {}

  /// Empty when it is not there.
  std::string text(const char* key);
  /// Complains when it is not there, or is empty.
  std::string some_text(const char* key);
  std::optional<double> number(const char* key);
  /// One text, or a list of them.
  std::vector<std::string> texts(const char* key);
  /// A table of numbers: {copies_cpu = 2}.
  std::map<std::string, double> numbers(const char* key);
  /// A table of values, each as text: {size = "1MiB", clients = 4}.
  std::map<std::string, std::string> values(const char* key);
  /// Those of a list of tables ("[[key]]"), in the order of the file.
  std::vector<const toml::table*> tables(const char* key);
  /// One of `words`, or nothing when the key is not there.
  std::optional<std::string> word(const char* key, const std::vector<std::string>& words);
  void refuse_others();

  bool has(const char* key) const { return table_.contains(key); }
  FilePlace place() const { return complaint_.place_of(table_.source()); }
  /// Complains of the value of a key, or of the whole table when there is none.
  void complain(const char* key, const std::string& what, const std::string& hint = {});

 private:
  const toml::node* find(const char* key);
  const toml::table* table(const char* key);

  const toml::table& table_;
  std::string what_;
  Complaint& complaint_;
  std::vector<std::string> known_;
};

/// The file as TOML. Fault::not_found and the like when it cannot be read, Fault::usage with the place when it is no
/// TOML.
Result<toml::table> read_toml(const std::filesystem::path& path);

}  // namespace waggle::verdict
