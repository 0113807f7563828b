// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/declared/toml_table.hpp"
#include "harness/verdict/rules.hpp"

namespace waggle::verdict {

using declared::Complaint;
using declared::Node;
using declared::TomlTable;

/// A suite file as far as rules name what is in it: its claims, the ids of its experiments and what those sweep. A rule
/// with another name would never find a record.
class Experiments {
 public:
  Experiments(const Node& document, std::string suite, Complaint& complaint);

  const std::string& suite() const { return suite_; }
  /// Complains of an experiment that there is none of, and of a filter by something that is not swept, or by a value
  /// that is not among those that are.
  void check(const Rule& rule, TomlTable& table) const;

 private:
  void check_id(const char* key, const std::string& id, TomlTable& table) const;
  void check_point(const char* key, const std::string& id, const Point& point, TomlTable& table) const;

  std::string suite_;
  /// The values of each option that an experiment sweeps, as they are written; empty where they are no single ones.
  using Sweep = std::map<std::string, std::vector<std::string>>;

  std::vector<std::string> speaks_to_;  ///< ids of claims
  std::map<std::string, Sweep> swept_;  ///< by id
};

}  // namespace waggle::verdict
