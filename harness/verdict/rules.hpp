// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/declared/toml_tree.hpp"
#include "harness/record/names.hpp"
#include "harness/verdict/claims.hpp"
#include "harness/verdict/words.hpp"

/// What decides a claim: the [[verdict]] tables of suite files, as data.
namespace waggle::verdict {

/// Values of options by name: one point of a sweep, or what is asked of one.
using Point = std::map<std::string, std::string>;

/// A figure of a contestant against a value, or against a figure of another contestant or of another point.
struct Rule {
  std::string claim;
  std::string says;        ///< in our words; empty: text_of() says it
  std::string suite;       ///< name of the suite whose records decide
  std::string experiment;  ///< of that suite
  Point at;                ///< points that it is about; those that it does not name may have any value, and all count
  std::string link;        ///< likewise; empty: every link that the contestant ran over
  std::string figure;
  std::optional<record::Role> party;
  std::optional<record::Place> place;
  std::string counter;  ///< name of the counter; empty: another figure
  std::string of;       ///< label of the contestant
  Is is = Is::about;
  std::optional<double> value;  ///< in the unit of the figure
  std::string theirs;           ///< the number of the claim (Claim::numbers) that takes the place of `value`
  std::string than;             ///< label of another contestant; empty: the same at another point, or `value`
  Point than_at;                ///< what is different there
  std::string than_experiment;  ///< another experiment of the suite, where no filter leads to; empty: the same
  double times = 1;             ///< of the other figure, or of the number of the claim
  double within = 0;            ///< "about": relative
  declared::FilePlace stands = {};

  bool compares() const { return !than.empty() || elsewhere(); }
  /// Whether the other figure is that of another record.
  bool elsewhere() const { return !than_at.empty() || !than_experiment.empty(); }
};

/// The rules of a suite file; its name is that of the suite. Fault::usage, naming line and column, for what makes no
/// sense. What else the file holds is not looked at.
Result<std::vector<Rule>> read_rules(const std::filesystem::path& path);

/// Whether rules and claims fit each other: every rule is about a claim that there is, no claim has a rule and an
/// answer, or a rule and a part that it waits for, and numbers of claims are there. Takes over those numbers.
/// Fault::usage, with the place, for what does not fit.
Result<std::vector<Rule>> settled(std::vector<Rule> rules, const Claims& claims);

/// Whether a point is among those that a filter asks for. Values are the same when they are written alike, or when
/// they are the same size or number ("1024KiB", "1MiB").
bool is_at(const Point& point, const Point& asked);

/// "copies (sender, kernel) of sendfile about 1 (within 5 %)", "goodput of udp at queues=2 more than 1.2 times that
/// at queues=1".
std::string text_of(const Rule& rule);

}  // namespace waggle::verdict
