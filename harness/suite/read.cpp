// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/suggest.hpp"
#include "harness/declared/suite_files.hpp"
#include "harness/suite/settled.hpp"
#include "harness/suite/suite.hpp"

namespace waggle::suite {
namespace {

namespace fs = std::filesystem;
using Kind = Node::Kind;

/// Of the file; "verdict" is read by who judges claims.
constexpr std::array<std::string_view, 8> kKeysOfTheFile{"title",   "about",    "claims",     "seconds",
                                                         "include", "defaults", "experiment", "verdict"};
/// A sweep of more points was not meant.
constexpr std::uint64_t kMostPoints = 10'000;

Result<> check_keys_of_file(const fs::path& file, const Node& root) {
  for (const Node& member : root.items) {
    if (std::ranges::find(kKeysOfTheFile, member.key) == kKeysOfTheFile.end()) {
      const std::vector<std::string> known(kKeysOfTheFile.begin(), kKeysOfTheFile.end());
      const std::string nearest = suggest(member.key, known);
      return wrong_at(file, member.key_place, fmt::format("a suite has no key '{}'", member.key),
                      nearest.empty() ? fmt::format("it has: {}; options stand under [[experiment]] or [defaults]",
                                                    fmt::join(known, ", "))
                                      : fmt::format("did you mean {}?", nearest));
    }
  }
  return {};
}

/// The text of a key; empty when it is not there.
Result<std::string> text_of(const fs::path& file, const Node& table, std::string_view key) {
  const Node* found = table.find(key);
  if (found != nullptr && !found->is(Kind::text)) {
    return wrong_at(file, found->place, fmt::format("{} is a text", key), "write it between quotes");
  }
  return found == nullptr ? std::string() : found->text;
}

/// The texts of a key that has a list of them; empty when it is not there.
Result<std::vector<std::string>> texts_of(const fs::path& file, const Node& table, std::string_view key) {
  std::vector<std::string> texts;
  const Node* found = table.find(key);
  if (found == nullptr) {
    return texts;
  }
  for (const Node& item : found->items) {
    texts.push_back(item.text);
  }
  if (!found->is(Kind::list) ||
      std::ranges::any_of(found->items, [](const Node& item) { return !item.is(Kind::text); })) {
    return wrong_at(file, found->place, fmt::format("{} is a list of texts", key), R"(write it like ["A", "B"])");
  }
  return texts;
}

Result<Head> head_of(const fs::path& file, const Node& root) {
  WAGGLE_TRY(check_keys_of_file(file, root));
  Head head{.name = file.stem().string(), .title = {}, .about = {}, .claims = {}};
  WAGGLE_LET(title, text_of(file, root, "title"));
  WAGGLE_LET(about, text_of(file, root, "about"));
  WAGGLE_LET(claims, texts_of(file, root, "claims"));
  if (title.empty()) {
    return wrong_at(file, {1, 1}, "a suite has a title", "write title = \"…\" at the top");
  }
  head.title = std::move(title);
  head.about = std::move(about);
  head.claims = std::move(claims);
  if (const Node* seconds = root.find("seconds")) {
    head.seconds = seconds->is(Kind::integer) ? static_cast<double>(seconds->integer) : seconds->real;
    if (!(head.seconds > 0)) {
      return wrong_at(file, seconds->place, "seconds is a number above 0", "write about how long the suite takes");
    }
  }
  return head;
}

/// Who is compared: "datapaths", a text or a list of them, and "receiver".
Result<Contestants> contestants_of(const fs::path& file, const Node& experiment, const Node* defaults) {
  Contestants contestants{.place = experiment.place};
  for (const Node* table : {defaults, &experiment}) {
    if (table == nullptr) {
      continue;
    }
    if (const Node* said = table->find("datapaths")) {
      contestants.place = said->place;
      if (said->is(Kind::text)) {
        contestants.datapaths = said->text;
      } else {
        WAGGLE_LET(names, texts_of(file, *table, "datapaths"));
        contestants.datapaths = fmt::format("{}", fmt::join(names, ","));
      }
      if (contestants.datapaths.empty()) {
        return wrong_at(file, said->place, "datapaths names none", "write \"all\", or a list of names");
      }
    }
    if (table->find("receiver") != nullptr) {
      WAGGLE_LET(receiver, text_of(file, *table, "receiver"));
      contestants.receiver = std::move(receiver);
    }
  }
  return contestants;
}

/// Ids are parts of file names, and verdicts name them.
Result<std::string> id_of(const fs::path& file, const Node& experiment, std::set<std::string>& taken) {
  WAGGLE_LET(id, text_of(file, experiment, "id"));
  const Node* said = experiment.find("id");
  const Place place = said == nullptr ? experiment.place : said->place;
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (id.empty() || !std::ranges::all_of(id, fits)) {
    return wrong_at(file, place, id.empty() ? "an experiment has an id" : fmt::format("'{}' is no id", id),
                    "write one of small letters, digits and -");
  }
  if (!taken.insert(id).second) {
    return wrong_at(file, place, fmt::format("there is a second experiment '{}'", id), "give it another id");
  }
  return id;
}

Result<> add_experiment(const fs::path& file, const Node& experiment, const Node* defaults, const std::string& id,
                        const Overrides& overrides, Suite& suite) {
  WAGGLE_LET(title, text_of(file, experiment, "title"));
  WAGGLE_LET(contestants, contestants_of(file, experiment, defaults));
  WAGGLE_LET(axes, axes_of(file, experiment, defaults));
  const std::uint64_t points = points_of(axes);
  if (points > kMostPoints || suite.experiments.size() + points > kMostPoints) {
    return wrong_at(file, experiment.place, fmt::format("{} sweeps {} points", id, points),
                    fmt::format("shorten its lists: a suite has at most {}", kMostPoints));
  }
  for (std::uint64_t point = 0; point < points; ++point) {
    WAGGLE_LET(planned, settled(file, experiment.place, contestants, axes, at_point(axes, point), overrides));
    planned.suite = file.stem().string();
    planned.id = id;
    planned.title = title.empty() ? id : title;
    suite.experiments.push_back(std::move(planned));
  }
  return {};
}

Result<> check_table(const fs::path& file, const Node* table, std::string_view what) {
  return table == nullptr || table->is(Kind::table)
             ? Result<>()
             : Result<>(
                   wrong_at(file, table->place, fmt::format("{} is a table", what), fmt::format("write [{}]", what)));
}

/// Fills `suite`, whose head is that of the outermost file. `outer`: the files that are being read.
Result<> read_into(const fs::path& file, const Node& root, const Overrides& overrides, std::vector<fs::path>& outer,
                   Suite& suite);

Result<> include(const fs::path& file, const Node& root, const Overrides& overrides, std::vector<fs::path>& outer,
                 Suite& suite) {
  WAGGLE_LET(names, texts_of(file, root, "include"));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Place place = root.find("include")->items[i].place;
    auto found = declared::find_suite(names[i], file.parent_path());
    if (!found) {
      return wrong_at(file, place, std::move(found).error());
    }
    const fs::path known = fs::weakly_canonical(*found);
    if (std::ranges::find(outer, known) != outer.end()) {
      return wrong_at(file, place, fmt::format("{} is included in itself, or twice", names[i]), "leave it out");
    }
    // Records name their suite by its name alone.
    if (std::ranges::any_of(outer, [&](const fs::path& other) { return other.stem() == known.stem(); })) {
      return wrong_at(file, place, fmt::format("there is another suite '{}' in this one", known.stem().string()),
                      "give its file another name");
    }
    outer.push_back(known);
    WAGGLE_LET(included, declared::read_toml(*found));
    WAGGLE_TRY(head_of(*found, included));
    WAGGLE_TRY(read_into(*found, included, overrides, outer, suite));
  }
  return {};
}

Result<> read_into(const fs::path& file, const Node& root, const Overrides& overrides, std::vector<fs::path>& outer,
                   Suite& suite) {
  WAGGLE_TRY(include(file, root, overrides, outer, suite));
  const Node* defaults = root.find("defaults");
  WAGGLE_TRY(check_table(file, defaults, "defaults"));
  std::set<std::string> taken;
  if (const Node* experiments = root.find("experiment")) {
    if (!experiments->is(Kind::list)) {
      return wrong_at(file, experiments->place, "experiments are a list of tables", "write [[experiment]]");
    }
    for (const Node& experiment : experiments->items) {
      WAGGLE_TRY(check_table(file, &experiment, "[experiment]"));
      WAGGLE_LET(id, id_of(file, experiment, taken));
      WAGGLE_TRY(add_experiment(file, experiment, defaults, id, overrides, suite));
    }
  }
  return {};
}

}  // namespace

Result<Head> read_head(const fs::path& file) {
  WAGGLE_LET(root, declared::read_toml(file));
  return head_of(file, root);
}

Result<Suite> read_suite(const fs::path& file, const Overrides& overrides) {
  WAGGLE_LET(root, declared::read_toml(file));
  Suite suite;
  WAGGLE_LET(head, head_of(file, root));
  suite.head = std::move(head);
  std::vector<fs::path> outer{fs::weakly_canonical(file)};
  WAGGLE_TRY(read_into(file, root, overrides, outer, suite));
  if (suite.experiments.empty()) {
    return wrong_at(file, {1, 1}, "the suite has no experiment", "write [[experiment]], or include = [\"NAME\"]");
  }
  return suite;
}

}  // namespace waggle::suite
