// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "harness/declared/suite_files.hpp"
#include "harness/declared/toml_table.hpp"
#include "harness/suite/settled.hpp"
#include "harness/suite/suite.hpp"

namespace waggle::suite {
namespace {

namespace fs = std::filesystem;
using declared::Complaint;
using declared::TomlTable;
using Kind = Node::Kind;

/// A sweep of more points was not meant.
constexpr std::uint64_t kMostPoints = 10'000;

Result<Head> head_of(const fs::path& file, const Node& root) {
  Complaint complaint(file.string());
  TomlTable table(root, "a suite", complaint);
  Head head{.name = file.stem().string(),
            .title = table.text("title"),
            .about = table.text("about"),
            .claims = table.texts("claims"),
            .seconds = table.number("seconds").value_or(0)};
  table.leave({"include", "defaults", "experiment"});
  table.leave({"verdict"});  // which is read by who judges claims
  table.refuse_others("; options stand under [[experiment]] or [defaults]");
  if (head.title.empty()) {
    complaint.at({1, 1}, "a suite has a title", "write title = \"…\" at the top");
  }
  if (table.has("seconds") && !(head.seconds > 0)) {
    table.complain("seconds", "seconds is a number above 0", "write about how long the suite takes");
  }
  WAGGLE_TRY(complaint.result());
  return head;
}

/// Who is compared: "datapaths", a text or a list of them, and "receiver".
Result<Contestants> contestants_of(const fs::path& file, const Node& experiment, const Node* defaults) {
  Complaint complaint(file.string());
  Contestants contestants{.place = experiment.place};
  for (const Node* table : {defaults, &experiment}) {
    if (table == nullptr) {
      continue;
    }
    TomlTable said(*table, "an experiment", complaint);
    if (const Node* datapaths = table->find("datapaths")) {
      contestants.place = datapaths->place;
      contestants.datapaths = fmt::format("{}", fmt::join(said.texts("datapaths"), ","));
      if (contestants.datapaths.empty()) {
        said.complain("datapaths", "datapaths names none", "write \"all\", or a list of names");
      }
    }
    if (said.has("receiver")) {
      contestants.receiver = said.text("receiver");
    }
  }
  WAGGLE_TRY(complaint.result());
  return contestants;
}

/// Ids are parts of file names, and verdicts name them.
Result<> check_id(const fs::path& file, const Node& experiment, const std::string& id, std::set<std::string>& taken) {
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
  return {};
}

Result<> add_experiment(const fs::path& file, const Node& experiment, const Node* defaults,
                        std::set<std::string>& taken, const Overrides& overrides, Suite& suite) {
  Complaint complaint(file.string());
  TomlTable said(experiment, "an experiment", complaint);
  const auto id = said.text("id");
  const auto title = said.text("title");
  WAGGLE_TRY(complaint.result());
  WAGGLE_TRY(check_id(file, experiment, id, taken));
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
  Complaint complaint(file.string());
  const auto names = TomlTable(root, "a suite", complaint).texts("include");
  WAGGLE_TRY(complaint.result());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Node& said = *root.find("include");
    const Place place = said.is(Kind::list) ? said.items[i].place : said.place;
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
      WAGGLE_TRY(add_experiment(file, experiment, defaults, taken, overrides, suite));
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
