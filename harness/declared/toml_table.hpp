// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "harness/declared/toml_tree.hpp"

/// Tables of TOML files, read key by key. Whatever is wrong is told once, with its place: "FILE:LINE:COLUMN: …".
namespace waggle::declared {

/// The first thing that was not as it should be; after it the rest is of no interest.
class Complaint {
 public:
  explicit Complaint(std::string file) : file_(std::move(file)) {}
  void at(Place where, const std::string& what, const std::string& hint = {});
  FilePlace place_of(Place where) const { return {where, file_}; }
  /// The error that it is, if there was anything.
  Result<> result() const { return error_ ? Result<>(std::unexpected(*error_)) : Result<>(); }

 private:
  std::string file_;
  std::optional<Error> error_;
};

/// One table. Each key that is asked for is known; refuse_others() complains of those that nobody has asked for.
class TomlTable {
 public:
  /// `what`: what the table describes, for complaints: "a verdict".
  TomlTable(const Node& table, std::string_view what, Complaint& complaint)
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
  std::vector<const Node*> tables(const char* key);
  /// One of `words`, or nothing when the key is not there.
  std::optional<std::string> word(const char* key, const std::vector<std::string>& words);
  /// Keys that somebody else reads.
  void leave(std::initializer_list<const char*> keys) { known_.insert(known_.end(), keys.begin(), keys.end()); }
  /// `besides`: what is said after the keys that there are, when none of them can have been meant.
  void refuse_others(std::string_view besides = {});

  bool has(const char* key) const { return table_.find(key) != nullptr; }
  FilePlace place() const { return complaint_.place_of(table_.place); }
  /// Complains of the value of a key, or of the whole table when there is none.
  void complain(const char* key, const std::string& what, const std::string& hint = {});

 private:
  const Node* find(const char* key);
  const Node* table(const char* key);

  const Node& table_;
  std::string what_;
  Complaint& complaint_;
  std::vector<std::string> known_;
};

}  // namespace waggle::declared
