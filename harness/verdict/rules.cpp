// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/suggest.hpp"
#include "base/units.hpp"
#include "harness/declared/toml_table.hpp"
#include "harness/verdict/experiments.hpp"
#include "harness/verdict/figure_names.hpp"

namespace waggle::verdict {
namespace {

template <typename E>
std::optional<E> read_word(TomlTable& table, const char* key) {
  const auto word = table.word(key, choices_of<E>());
  return word ? value_of<E>(*word) : std::nullopt;
}

void check_figure(const Rule& rule, TomlTable& table) {
  if (rule.figure.starts_with("latency.")) {
    table.complain("figure", "percentiles of latency are those of all runs merged, and have no interval that decides",
                   "ask for operations");
  } else if (!rule.figure.empty() && !is_figure(rule.figure)) {
    const auto near = suggest(rule.figure, figure_names());
    table.complain("figure", fmt::format("there is no figure '{}'", rule.figure),
                   near.empty() ? "harness/verdict/README.md names them" : fmt::format("did you mean '{}'?", near));
  }
  if ((rule.figure == "counter") == rule.counter.empty()) {
    table.complain("counter", "'counter' belongs to the figure \"counter\"", "name the counter of the datapath");
  }
  if (rule.place && (rule.figure != "copies" || !rule.party)) {
    table.complain("place", "only copies of a party are at a place", "name a 'party' as well, or leave it out");
  }
}

void read_figure(Rule& rule, TomlTable& table) {
  rule.figure = table.some_text("figure");
  rule.party = read_word<record::Role>(table, "party");
  rule.place = read_word<record::Place>(table, "place");
  rule.counter = table.text("counter");
  check_figure(rule, table);
}

void read_comparison(Rule& rule, TomlTable& table) {
  rule.of = table.some_text("of");
  rule.is = read_word<Is>(table, "is").value_or(Is::about);
  if (!table.has("is")) {
    table.complain("is", "a verdict needs 'is'", fmt::format("write one of: {}", fmt::join(choices_of<Is>(), ", ")));
  }
  rule.value = table.number("value");
  rule.theirs = table.text("theirs");
  rule.than = table.text("than");
  rule.than_at = table.values("than_at");
  rule.than_experiment = table.text("than_experiment");
  rule.times = table.number("times").value_or(1);
  rule.within = table.number("within").value_or(0);
  const int against = (rule.value ? 1 : 0) + (rule.theirs.empty() ? 0 : 1) + (rule.compares() ? 1 : 0);
  if (against != 1) {
    table.complain("is", "a verdict compares with one thing",
                   "write one of 'value', 'theirs' and 'than' (or 'than_at')");
  }
  if (table.has("times") && (rule.value || !(rule.times > 0))) {
    table.complain("times", "'times' is a factor above 0 of what 'than' or 'theirs' names");
  }
  if ((rule.is == Is::about) != (rule.within > 0) || rule.within >= 1) {
    table.complain("within", "'within' belongs to \"about\": how far off it may be, between 0 and 1",
                   "within = 0.05 is 5 %");
  }
}

Rule read_rule(const Node& from, const Experiments& experiments, Complaint& complaint) {
  TomlTable table(from, "a verdict", complaint);
  Rule rule{.suite = experiments.suite(), .stands = table.place()};
  rule.claim = table.some_text("claim");
  rule.says = table.text("says");
  rule.experiment = table.some_text("experiment");
  rule.at = table.values("at");
  rule.link = table.text("link");
  read_figure(rule, table);
  read_comparison(rule, table);
  table.refuse_others();
  experiments.check(rule, table);
  return rule;
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

bool same_value(const std::string& a, const std::string& b) {
  if (a == b) {
    return true;
  }
  const auto numbers = std::pair(number_in(a), number_in(b));
  if (numbers.first && numbers.second) {
    return *numbers.first == *numbers.second;
  }
  const auto sizes = std::pair(parse_size(a), parse_size(b));
  return sizes.first && sizes.second && *sizes.first == *sizes.second;
}

std::string at_text(const Point& point) {
  std::string text;
  for (const auto& [name, value] : point) {
    text += fmt::format("{}{}={}", text.empty() ? " at " : ", ", name, value);
  }
  return text;
}

std::unexpected<Error> unfit(const Rule& rule, const std::string& what, const std::string& hint) {
  return fail(Fault::usage, fmt::format("{}: {}", rule.stands.text(), what), hint);
}

}  // namespace

Result<std::vector<Rule>> read_rules(const std::filesystem::path& path) {
  WAGGLE_LET(document, declared::read_toml(path));
  Complaint complaint(path.native());
  std::vector<Rule> rules;
  // Of the rest of the file the reader of suites knows the keys.
  const Experiments experiments(document, path.stem().native(), complaint);
  for (const auto* each : TomlTable(document, "a suite", complaint).tables("verdict")) {
    rules.push_back(read_rule(*each, experiments, complaint));
  }
  WAGGLE_TRY(complaint.result());
  return rules;
}

Result<std::vector<Rule>> settled(std::vector<Rule> rules, const Claims& claims) {
  std::vector<std::string> ids;
  std::ranges::transform(claims.claims, std::back_inserter(ids), &Claim::id);
  for (Rule& rule : rules) {
    const auto* const claim = claims.find(rule.claim);
    if (claim == nullptr) {
      const auto near = suggest(rule.claim, ids);
      return unfit(rule, fmt::format("there is no claim {}", rule.claim),
                   near.empty() ? "add it to results/claims.toml" : fmt::format("did you mean {}?", near));
    }
    if (!claim->answer.empty() || !claim->waits.empty()) {
      return unfit(rule,
                   fmt::format("the claim {} {}", claim->id,
                               claim->answer.empty() ? "waits for " + claim->waits : "has an answer already"),
                   fmt::format("leave out the rule, or '{}' of the claim", claim->answer.empty() ? "waits" : "answer"));
    }
    if (!rule.theirs.empty()) {
      const auto number = claim->numbers.find(rule.theirs);
      if (number == claim->numbers.end()) {
        return unfit(rule, fmt::format("the claim {} has no number '{}'", claim->id, rule.theirs),
                     "add it to 'numbers' of the claim, or write 'value'");
      }
      rule.value = number->second * rule.times;
    }
  }
  return rules;
}

bool is_at(const Point& point, const Point& asked) {
  return std::ranges::all_of(asked, [&](const auto& each) {
    const auto found = point.find(each.first);
    return found != point.end() && same_value(found->second, each.second);
  });
}

std::string text_of(const Rule& rule) {
  std::string of = rule.figure;
  if (!rule.counter.empty()) {
    of += " " + rule.counter;
  }
  if (rule.party) {
    of += fmt::format(" ({}{})", record::name(*rule.party),
                      rule.place ? fmt::format(", {}", record::name(*rule.place)) : "");
  }
  of += fmt::format(" of {}{}", rule.of, at_text(rule.at));
  if (!rule.link.empty()) {
    of += " over " + rule.link;
  }
  std::string against;
  if (rule.compares()) {
    against = rule.times == 1 ? "that" : fmt::format("{} times that", rule.times);
    against += rule.than.empty() ? "" : " of " + rule.than;
    against += at_text(rule.than_at);
    against += rule.than_experiment.empty() ? "" : " in " + rule.than_experiment;
  } else {
    const double value = rule.value.value_or(0);
    against = rule.theirs.empty() ? fmt::format("{}", value)
              : rule.times == 1   ? fmt::format("the documents' {}", value)
                                : fmt::format("{}, {} times the documents' {}", value, rule.times, value / rule.times);
  }
  const auto within = rule.is == Is::about ? fmt::format(" (within {:g} %)", rule.within * 100) : "";
  return fmt::format("{} {} {}{}", of, word_of(rule.is), against, within);
}

}  // namespace waggle::verdict
