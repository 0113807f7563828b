// SPDX-License-Identifier: BSD-2-Clause
#include "harness/suite/folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/testing/folder.hpp"
#include "base/testing/must.hpp"
#include "harness/experiment/unmeasured.hpp"
#include "harness/record/file.hpp"

namespace waggle::suite {
namespace {

namespace fs = std::filesystem;
using test::must;

class Results {
 public:
  Results() { ::setenv("WAGGLE_RESULTS", path.c_str(), 1); }
  ~Results() { ::unsetenv("WAGGLE_RESULTS"); }
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  const test::Folder folder;
  const fs::path& path = folder.path();
};

Planned planned_at(const std::string& size) {
  Planned planned{.suite = "bulk", .id = "size", .title = "Size", .point = {{"size", size}}};
  planned.spec.pairs = {{"sendfile", "read_write"}, {"udp", "udp"}};
  planned.digest = digest_of(planned.spec);
  return planned;
}

/// A record of `planned` whose contestants could not be measured, or were, if it says so.
record::Record record_of(const Planned& planned, record::Status status) {
  record::Record record = must(experiment::unmeasured(planned.spec, {Fault::missing, "no machine", "buy one", 0}));
  record.suite = record::InSuite{.name = planned.suite,
                                 .experiment = planned.id,
                                 .title = planned.title,
                                 .point = planned.point,
                                 .digest = planned.digest};
  for (auto& contestant : record.contestants) {
    contestant.status = status;
    if (contestant.ok()) {
      contestant.summary.emplace();
    }
  }
  return record;
}

}  // namespace

TEST_CASE("an experiment that cannot begin leaves a record that says why") {
  const auto record = record_of(planned_at("1KiB"), record::Status::unavailable);
  REQUIRE(record.contestants.size() == 2);
  for (const auto& contestant : record.contestants) {
    CHECK(contestant.reason == "no machine");
    CHECK(contestant.hint == "buy one");
    CHECK(contestant.runs.empty());
  }
  const auto again = must(record::from_json(record::to_json(record)));
  CHECK(again.suite->point == std::map<std::string, std::string>{{"size", "1KiB"}});
  const Tally tally = tally_of(again);
  CHECK(tally.unavailable == 2);
  CHECK(tally.problem == "sendfile: no machine");
}

TEST_CASE("what is kept is found by settings, and only when it is whole") {
  const Results results;
  const Planned planned = planned_at("1KiB");
  const auto write = [&](const record::Record& record) {
    return must(record::write_record(results.path / file_name(planned), record::to_json(record)));
  };
  CHECK(Kept::in(results.path).match(planned) == nullptr);
  const auto first = write(record_of(planned, record::Status::failed));
  CHECK(first.filename() == "bulk-size-1KiB.json");
  {
    const Kept kept = Kept::in(results.path);
    REQUIRE(kept.match(planned) != nullptr);
    CHECK_FALSE(kept.match(planned)->whole());
    CHECK(kept.match(planned_at("2KiB")) == nullptr);
    auto other = planned;
    other.spec.budget_seconds = 1;
    other.digest = digest_of(other.spec);
    CHECK(kept.match(other) == nullptr);
    CHECK(kept.of(other).size() == 1);
  }
  const auto second = write(record_of(planned, record::Status::ok));
  CHECK(second != first);
  CHECK(Kept::in(results.path).match(planned)->file == second);
  std::ofstream(results.path / "torn.json") << R"({"schema": "waggle-record/2", "crea)";
  fs::create_directory(results.path / "folder.json");
  REQUIRE(::mkfifo((results.path / "pipe.json").c_str(), 0600) == 0);
  CHECK(Kept::in(results.path).broken().size() == 1);
  must(set_aside(first));
  must(set_aside(second));
  CHECK(Kept::in(results.path).of(planned).empty());
  CHECK(fs::exists(results.path / "bulk-size-1KiB.json.old"));
}

TEST_CASE("a call has a folder of its own, and one that resumes the latest") {
  const Results results;
  const auto first = must(choose_folder("quick", {}, false));
  CHECK(first.parent_path() == results.path);
  CHECK(first.filename().string().starts_with("quick-20"));
  fs::create_directories(results.path / "quick-99990101-000000");
  fs::create_directories(results.path / "quick-2-99990101-000001");
  CHECK(must(choose_folder("quick", {}, true)).filename() == "quick-99990101-000000");
  CHECK(must(choose_folder("bulk", {}, true)).filename().string().starts_with("bulk-20"));
  CHECK(must(choose_folder("quick", results.path / "mine", false)) == results.path / "mine");
  std::ofstream(results.path / "mine" / "some.json") << "{}";
  CHECK(choose_folder("quick", results.path / "mine", false).error().fault == Fault::usage);
  CHECK(must(choose_folder("quick", results.path / "mine", true)) == results.path / "mine");
  CHECK_FALSE(choose_folder("quick", "/proc/results", false));
}

}  // namespace waggle::suite
