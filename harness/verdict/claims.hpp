// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/verdict/words.hpp"

/// What the documents claim (results/claims.toml).
namespace waggle::verdict {

/// One of the documents.
struct Source {
  std::string id;     ///< "003"
  std::string title;  ///< "feasibility study"
};

/// A statement of the documents, or a system that they name.
struct Claim {
  std::string id;
  std::string group;
  std::string text;                       ///< the statement
  std::vector<std::string> sources;       ///< ids of the documents that make it
  std::string theirs;                     ///< the documents' figure as they print it; empty: they give none
  std::map<std::string, double> numbers;  ///< the same for rules, by name
  std::string doubt;                      ///< where the statement mixes words or leaves something out
  std::string waits;                      ///< for a part that is not built; no rule can decide before
  std::string nearest;                    ///< what can run instead
  std::string where;                      ///< where what it needs can be had
  std::string open;                       ///< the part of the statement that no rule decides
  std::string answer;                     ///< of one that no measurement decides: how it is answered
  Outcome answered = Outcome::not_shown;  ///< and what the answer comes to
};

struct Claims {
  std::vector<Source> sources;
  std::vector<Claim> claims;  ///< in the order of the file, which is that of tables

  /// The claim of that id; null when there is none.
  const Claim* find(std::string_view id) const;
};

/// Fault::usage, naming line and column, for what makes no sense.
Result<Claims> read_claims(const std::filesystem::path& path);

}  // namespace waggle::verdict
