// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/verdict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace waggle::verdict {
namespace {

/// The first of them that any rule ends with is how the claim ends: what refutes one rule refutes the claim, whatever
/// the others say, and it holds only when all do.
constexpr std::array kWorstFirst{Outcome::does_not_hold, Outcome::cannot_run, Outcome::not_shown, Outcome::holds};

std::vector<const RuleResult*> that_end(const std::vector<RuleResult>& rules, Outcome outcome) {
  std::vector<const RuleResult*> all;
  for (const auto& rule : rules) {
    if (rule.outcome == outcome) {
      all.push_back(&rule);
    }
  }
  return all;
}

Outcome combined(const std::vector<RuleResult>& rules) {
  const auto* const found =
      std::ranges::find_if(kWorstFirst, [&](Outcome outcome) { return !that_end(rules, outcome).empty(); });
  return found == kWorstFirst.end() ? Outcome::not_shown : *found;
}

/// "2 of 3 rules hold. does not hold: … : …" from what the rules say.
std::string why_of(const std::vector<RuleResult>& rules, Outcome outcome) {
  const auto holding = that_end(rules, Outcome::holds).size();
  std::string text;
  if (outcome != Outcome::holds && holding > 0) {
    text = fmt::format("{} of {} rules hold. ", holding, rules.size());
  }
  std::vector<std::string> sentences;
  for (const auto* rule : that_end(rules, outcome)) {
    const auto sentence = outcome == Outcome::holds ? rule->says : fmt::format("{}: {}", rule->says, rule->why);
    if (std::ranges::find(sentences, sentence) == sentences.end()) {
      sentences.push_back(sentence);
    }
  }
  return fmt::format("{}{}.", text, fmt::join(sentences, "; "));
}

/// The figures of all rules, each once.
std::string ours_of(const std::vector<RuleResult>& rules) {
  std::vector<std::string> all;
  for (const auto& rule : rules) {
    if (!rule.ours.empty() && std::ranges::find(all, rule.ours) == all.end()) {
      all.push_back(rule.ours);
    }
  }
  return fmt::format("{}", fmt::join(all, "; "));
}

/// Where else it can be asked.
std::string elsewhere(const Claim& claim) {
  return claim.where.empty() ? std::string() : fmt::format(" It can be asked {}.", claim.where);
}

Verdict by_rules(const Claim& claim, const std::vector<Rule>& rules, Records records) {
  Verdict verdict{.claim = claim, .outcome = Outcome::not_shown, .ours = {}, .why = {}, .rules = {}};
  for (const Rule& rule : rules) {
    if (rule.claim == claim.id) {
      std::ranges::move(results_of(rule, records), std::back_inserter(verdict.rules));
    }
  }
  if (verdict.rules.empty()) {
    verdict.why = "No rule of these suites decides it.";
    return verdict;
  }
  verdict.outcome = combined(verdict.rules);
  verdict.ours = ours_of(verdict.rules);
  verdict.why = why_of(verdict.rules, verdict.outcome);
  if (!claim.open.empty()) {
    // What holds of a part is not shown of the whole; what is refuted of a part is refuted.
    verdict.outcome = verdict.outcome == Outcome::holds ? Outcome::not_shown : verdict.outcome;
    verdict.why += fmt::format(" Open: {}.", claim.open);
  }
  if (verdict.outcome != Outcome::holds) {
    verdict.why += elsewhere(claim);
  }
  return verdict;
}

Verdict of_claim(const Claim& claim, const std::vector<Rule>& rules, Records records) {
  const auto near =
      (claim.nearest.empty() ? std::string() : fmt::format(" Nearest: {}.", claim.nearest)) + elsewhere(claim);
  if (!claim.waits.empty()) {
    return {.claim = claim,
            .outcome = Outcome::waits,
            .ours = {},
            .why = fmt::format("Waits for {}.{}", claim.waits, near),
            .rules = {}};
  }
  if (!claim.answer.empty()) {
    return {.claim = claim, .outcome = claim.answered, .ours = {}, .why = claim.answer + near, .rules = {}};
  }
  return by_rules(claim, rules, records);
}

}  // namespace

std::vector<Verdict> verdicts(const Claims& claims, const std::vector<Rule>& rules, Records records) {
  std::vector<Verdict> all;
  for (const Claim& claim : claims.claims) {
    all.push_back(of_claim(claim, rules, records));
  }
  return all;
}

}  // namespace waggle::verdict
