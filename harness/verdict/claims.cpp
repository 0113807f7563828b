// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/claims.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/declared/toml_table.hpp"

namespace waggle::verdict {
namespace {

using declared::Complaint;
using declared::Node;
using declared::TomlTable;

/// Outcomes that an answer may come to: all that a measurement can.
std::vector<std::string> answers() {
  auto words = choices_of<Outcome>();
  std::erase(words, word_of(Outcome::waits));
  return words;
}

Source read_source(const Node& from, Complaint& complaint) {
  TomlTable table(from, "a source", complaint);
  Source source{.id = table.some_text("id"), .title = table.some_text("title")};
  table.refuse_others();
  return source;
}

Claim read_claim(const Node& from, const std::string& group, const Claims& before, Complaint& complaint) {
  TomlTable table(from, "a claim", complaint);
  Claim claim;
  claim.id = table.some_text("id");
  claim.group = group;
  claim.text = table.some_text("text");
  claim.sources = table.texts("source");
  claim.theirs = table.text("theirs");
  claim.numbers = table.numbers("numbers");
  claim.doubt = table.text("doubt");
  claim.waits = table.text("waits");
  claim.nearest = table.text("nearest");
  claim.where = table.text("where");
  claim.open = table.text("open");
  claim.answer = table.text("answer");
  const auto answered = table.word("verdict", answers());
  claim.answered = answered ? value_of<Outcome>(*answered).value_or(Outcome::not_shown) : Outcome::not_shown;
  table.refuse_others();
  if (before.find(claim.id) != nullptr) {
    table.complain("id", fmt::format("there are two claims {}", claim.id));
  }
  if (claim.sources.empty()) {
    table.complain("source", "a claim needs 'source'", "name the documents that make it");
  }
  for (const auto& source : claim.sources) {
    if (std::ranges::find(before.sources, source, &Source::id) == before.sources.end()) {
      table.complain("source", fmt::format("there is no source '{}'", source), "add it as a [[source]]");
    }
  }
  if (claim.answer.empty() == answered.has_value()) {
    table.complain("answer", "'answer' and 'verdict' belong together",
                   "say how it is answered, and what the answer comes to");
  }
  if (int{claim.answer.empty()} + int{claim.waits.empty()} + int{claim.open.empty()} < 2) {
    table.complain("waits", "a claim has one of 'answer', 'waits' and 'open', or none", "leave the others out");
  }
  return claim;
}

}  // namespace

const Claim* Claims::find(std::string_view id) const {
  const auto found = std::ranges::find(claims, id, &Claim::id);
  return found == claims.end() ? nullptr : &*found;
}

Result<Claims> read_claims(const std::filesystem::path& path) {
  WAGGLE_LET(document, declared::read_toml(path));
  Complaint complaint(path.native());
  Claims all;
  TomlTable file(document, "a file of claims", complaint);
  for (const auto* each : file.tables("source")) {
    all.sources.push_back(read_source(*each, complaint));
  }
  for (const auto* each : file.tables("group")) {
    TomlTable group(*each, "a group", complaint);
    const auto title = group.some_text("title");
    for (const auto* claim : group.tables("claim")) {
      all.claims.push_back(read_claim(*claim, title, all, complaint));
    }
    group.refuse_others();
  }
  file.refuse_others();
  WAGGLE_TRY(complaint.result());
  return all;
}

}  // namespace waggle::verdict
