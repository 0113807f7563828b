// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/verdict/claims.hpp"
#include "harness/verdict/evidence.hpp"
#include "harness/verdict/rules.hpp"
#include "harness/verdict/words.hpp"

/// How the documents' claims end, by what records say. The same records give the same verdicts, in whatever order.
namespace waggle::verdict {

/// How a rule ends at one point over one link.
struct RuleResult {
  std::string says;  ///< what it decides, in our words
  std::string rule;  ///< the rule itself, with the point and link that it was asked at
  Outcome outcome = Outcome::not_shown;
  std::optional<double> value;  ///< the figure, or the quotient of the two that are compared
  std::optional<double> low;
  std::optional<double> high;
  std::string unit;     ///< empty: a count, a share or a quotient
  std::string ours;     ///< the value as a sentence has it: "1.34 times the goodput (1.21 – 1.44)"
  bool paired = false;  ///< a quotient within rounds
  std::string why;      ///< what it rests on, what is missing, or what would decide it
  std::optional<Evidence> of;
  std::optional<Evidence> than;
};

struct Verdict {
  Claim claim;
  Outcome outcome = Outcome::not_shown;
  std::string ours;  ///< our figures beside the documents', empty when there are none
  std::string why;   ///< one or two sentences
  std::vector<RuleResult> rules;
};

/// How a rule ends at every point and link at which it can be asked; one result without evidence when there is no
/// record.
std::vector<RuleResult> results_of(const Rule& rule, Records records);

/// One verdict for every claim, in their order. All rules of a claim must hold. `rules` are settled().
std::vector<Verdict> verdicts(const Claims& claims, const std::vector<Rule>& rules, Records records);

}  // namespace waggle::verdict
