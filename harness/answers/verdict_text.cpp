// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/verdict_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/installed.hpp"
#include "base/words.hpp"
#include "harness/declared/suite_files.hpp"
#include "harness/report/record_text.hpp"

namespace waggle::answers {
namespace {

using nlohmann::json;

Result<std::vector<verdict::Rule>> rules_of_suites() {
  const auto files = declared::suites_in(declared::shipped_suites());
  if (files.empty()) {
    return fail(Fault::not_found, "the suites that come with the program are not there", "install it again");
  }
  std::vector<verdict::Rule> all;
  for (const auto& file : files) {
    WAGGLE_LET(rules, verdict::read_rules(file));
    std::ranges::move(rules, std::back_inserter(all));
  }
  return all;
}

std::vector<verdict::Recorded> recorded(const RecordSet& set) {
  std::vector<verdict::Recorded> records;
  for (const auto& source : set.sources) {
    records.push_back({.file = source.file, .record = &source.record});
  }
  return records;
}

/// The id of the experiment that a contestant is in.
std::string experiment_of(const RecordSet& set, const std::optional<verdict::Evidence>& evidence) {
  if (!evidence) {
    return "";
  }
  const auto& source = set.sources.at(evidence->record);
  // As in experiments(): one that no link runs is with the record's first.
  auto link = source.record.contestants.at(evidence->contestant).link;
  if (!source.record.environment.links.contains(link)) {
    const auto links = report::links_of(source.record);
    link = links.empty() ? std::string() : links.front();
  }
  return link.empty() ? source.id : fmt::format("{}/{}", source.id, link);
}

json or_null(const std::optional<double>& value) {
  return value ? json(*value) : json();
}

json rule_json(const RecordSet& set, const verdict::RuleResult& rule) {
  return {{"says", rule.says},
          {"rule", rule.rule},
          {"outcome", word_of(rule.outcome)},
          {"value", or_null(rule.value)},
          {"low", or_null(rule.low)},
          {"high", or_null(rule.high)},
          {"unit", rule.unit},
          {"ours", rule.ours},
          {"paired", rule.paired},
          {"why", rule.why},
          {"experiment", experiment_of(set, rule.of)},
          {"than_experiment", experiment_of(set, rule.than)}};
}

}  // namespace

Result<std::vector<verdict::Verdict>> judge(const RecordSet& set) {
  WAGGLE_LET(claims, verdict::read_claims(installed("claims.toml", "results/claims.toml")));
  WAGGLE_LET(read, rules_of_suites());
  WAGGLE_LET(rules, verdict::settled(std::move(read), claims));
  const auto records = recorded(set);
  return verdict::verdicts(claims, rules, records);
}

json verdicts_json(const RecordSet& set, const std::vector<verdict::Verdict>& verdicts) {
  json all = json::array();
  for (const auto& one : verdicts) {
    json rules = json::array();
    for (const auto& rule : one.rules) {
      rules.push_back(rule_json(set, rule));
    }
    const auto& claim = one.claim;
    all.push_back({{"claim", claim.id},
                   {"group", claim.group},
                   {"text", claim.text},
                   {"source", fmt::format("{}", fmt::join(claim.sources, ", "))},
                   {"theirs", claim.theirs},
                   {"doubt", claim.doubt},
                   {"verdict", word_of(one.outcome)},
                   {"ours", one.ours},
                   {"why", one.why},
                   {"nearest", claim.nearest},
                   {"where", claim.where},
                   {"waits_for", claim.waits.empty() ? json() : json(claim.waits)},
                   {"rules", std::move(rules)}});
  }
  return all;
}

Sheet verdict_sheet(const std::vector<verdict::Verdict>& verdicts) {
  const auto text = [](const char* heading) { return Sheet::Column{.heading = heading, .unit = {}, .number = false}; };
  Sheet sheet{.id = "verdicts",
              .caption = "What the documents claim, and what the records say.",
              .columns = {text("claim"), text("statement"), text("theirs"), text("ours"), text("verdict"), text("why")},
              .rows = {},
              .notes = {}};
  for (const auto& one : verdicts) {
    const bool decided = one.outcome == verdict::Outcome::holds || one.outcome == verdict::Outcome::does_not_hold;
    sheet.rows.push_back({{.text = one.claim.id},
                          {.text = one.claim.text},
                          {.text = one.claim.theirs},
                          {.text = one.ours},
                          {.text = std::string(word_of(one.outcome)), .bold = decided},
                          {.text = one.why}});
  }
  return sheet;
}

}  // namespace waggle::answers
