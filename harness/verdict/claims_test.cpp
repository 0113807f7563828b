// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "harness/verdict/rules.hpp"
#include "harness/verdict/testing/text_file.hpp"

namespace waggle::verdict {
namespace {

using testing::in_source;
using testing::TextFile;

/// All that the documents claim and name, by group: Z0 to Z10 …
std::vector<std::string> owed() {
  struct Span {
    char letter;
    int first;
    int last;
  };
  std::vector<std::string> ids;
  for (const auto& [letter, first, last] : {Span{'Z', 0, 10}, Span{'D', 1, 4}, Span{'X', 1, 8}, Span{'E', 1, 7},
                                            Span{'C', 1, 8}, Span{'F', 1, 3}, Span{'N', 1, 6}}) {
    for (int number = first; number <= last; ++number) {
      ids.push_back(fmt::format("{}{}", letter, number));
    }
  }
  return ids;
}

std::vector<Rule> shipped_rules(const Claims& claims) {
  std::vector<Rule> all;
  const auto folder = in_source("workloads/suites");
  if (!std::filesystem::exists(folder)) {
    return all;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") {
      auto rules = read_rules(entry.path());
      INFO((rules ? std::string() : rules.error().text()));
      REQUIRE(rules);
      std::ranges::move(*rules, std::back_inserter(all));
    }
  }
  auto fitting = settled(std::move(all), claims);
  INFO((fitting ? std::string() : fitting.error().text()));
  REQUIRE(fitting);
  return *std::move(fitting);
}

TEST_CASE("every claim of the documents is there, and nothing else, in its order") {
  const auto claims = read_claims(in_source("results/claims.toml"));
  INFO((claims ? std::string() : claims.error().text()));
  REQUIRE(claims);
  std::vector<std::string> ids;
  std::ranges::transform(claims->claims, std::back_inserter(ids), &Claim::id);
  CHECK(ids == owed());
}

TEST_CASE("every claim has rules, or an answer, or a part that it waits for") {
  const auto claims = read_claims(in_source("results/claims.toml"));
  REQUIRE(claims);
  std::map<std::string, std::size_t> rules;
  for (const auto& rule : shipped_rules(*claims)) {
    ++rules[rule.claim];
  }
  for (const auto& claim : claims->claims) {
    INFO(claim.id);
    const int ways = (rules[claim.id] > 0 ? 1 : 0) + (claim.answer.empty() ? 0 : 1) + (claim.waits.empty() ? 0 : 1);
    CHECK(ways == 1);
    CHECK_FALSE(claim.text.empty());
    CHECK((claim.theirs.empty() || !claim.numbers.empty()));
  }
}

constexpr std::string_view kSources = "source = [{id = '003', title = 'study'}]\n[[group]]\ntitle = 'Table'\n";

std::string wrong_claims(const std::string& claims) {
  const TextFile file("claims.toml", std::string(kSources) + claims);
  const auto read = read_claims(file.path());
  return read ? std::string() : read.error().text().substr(file.path().native().size());
}

TEST_CASE("claims tell what is wrong with them, and where") {
  const std::string good = "[[group.claim]]\nid = 'Z2'\ntext = 'so'\nsource = '003'\n";
  CHECK(wrong_claims(good).empty());
  CHECK(wrong_claims(good + good) == ":9:6: there are two claims Z2");
  CHECK(wrong_claims(good + "their = 'x'\n") == ":8:1: a claim has no 'their'; did you mean 'theirs'?");
  CHECK(wrong_claims(good + "numbers = {a = 'x'}\n") == ":8:16: 'a' is a number, not a text");
  CHECK(wrong_claims(good + "answer = 'x'\n").find("'answer' and 'verdict' belong together") != std::string::npos);
  CHECK(wrong_claims(good + "verdict = 'holds'\n").find("belong together") != std::string::npos);
  CHECK(wrong_claims(good + "answer = 'x'\nverdict = 'waits'\n").find("'verdict' cannot be 'waits'") !=
        std::string::npos);
  CHECK(wrong_claims(good + "answer = 'x'\nverdict = 'holds'\nwaits = 'y'\n").find("has one of") != std::string::npos);
  CHECK(wrong_claims("[[group.claim]]\nid = 'Z2'\ntext = 'so'\nsource = '004'\n").find("there is no source '004'") !=
        std::string::npos);
  CHECK(wrong_claims("[[group.claim]]\nid = 'Z2'\ntext = 'so'\n").find("a claim needs 'source'") != std::string::npos);
  CHECK(wrong_claims("[[group.claim]]\ntext = 'so'\nsource = '003'\n") == ":4:1: a claim needs 'id'");
  CHECK(wrong_claims("[[groups]]\n") == ":4:3: a file of claims has no 'groups'; did you mean 'group'?");
}

}  // namespace
}  // namespace waggle::verdict
