// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/nearest.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "harness/answers/testing/made.hpp"

using namespace waggle;
using namespace waggle::answers;
using namespace waggle::answers::testing;

namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;

Rounds two_of_each() {
  return {{"mmap", {10, 11}}, {"splice", {12, 13}}};
}

/// A download of a file of that size, by so many clients.
record::Record download_of(std::uint64_t size, std::uint64_t clients = 1, int day = 1) {
  auto record = made(two_of_each(), day);
  record.spec.parameters.clients = clients;
  record.spec.parameters.others.members["size"] = size;
  return made_on(host_of("Xeon"), std::move(record));
}

RecordSet records_of(std::vector<record::Record> records) {
  RecordSet set;
  for (auto& record : records) {
    const auto number = std::to_string(set.sources.size() + 1);
    set.sources.push_back({.id = "r" + number, .file = "record-" + number + ".json", .record = std::move(record)});
  }
  return set;
}

Question ask(std::uint64_t size, std::set<std::string> said, std::uint64_t clients = 1) {
  return {.asked = download_of(size, clients).spec,
          .said = std::move(said),
          .link = "auto",
          .file_size = "size",
          .options = {{.name = "size", .default_value = {}, .type = OptionType::bytes(), .help = {}}}};
}

Here at(const std::string& model) {
  return {.host = host_of(model), .build = {}, .now = "2026-01-09T00:00:00Z", .networks = {"nic"}};
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// What is found among these, as the file that it is in and the lines that say what differs.
struct Looked {
  explicit Looked(std::vector<record::Record> records, const Question& question, const std::string& model = "Xeon")
      : set(records_of(std::move(records))), all(experiments(set)), found(nearest(all, question, at(model))) {}
  std::string file() const { return found.experiment == nullptr ? "" : found.experiment->source->file; }
  RecordSet set;
  std::vector<Experiment> all;
  Nearest found;
};

}  // namespace

TEST_CASE("what was asked is taken before what is near, and what is near is told") {
  const auto exact = ask(1024 * kMebi, {"size"});
  CHECK(Looked({download_of(512 * kMebi), download_of(1024 * kMebi)}, exact).file() == "record-2.json");
  const Looked near({download_of(512 * kMebi)}, exact);
  REQUIRE(near.file() == "record-1.json");
  REQUIRE(near.found.differences.size() == 1);
  CHECK(near.found.differences.front().text() == "--size=1GiB is asked, 512MiB was measured");
  const Looked usual({download_of(512 * kMebi)}, ask(1024 * kMebi, {}));
  REQUIRE(usual.found.differences.size() == 1);
  CHECK(usual.found.differences.front().text() == "--size=512MiB was measured, 1GiB is the default");
}

TEST_CASE("a number that is too far does not fit, and the refusal says which; large files are all alike") {
  const Looked far({download_of(4096)}, ask(kMebi, {"size"}));
  CHECK(far.found.experiment == nullptr);
  CHECK(holds(far.found.why_none, "record-1.json"));
  CHECK(holds(far.found.why_none, "--size=1MiB is asked, 4KiB was measured"));
  CHECK(Looked({download_of(16 * kMebi)}, ask(1024 * kMebi, {"size"})).file() == "record-1.json");
  CHECK(Looked({download_of(kMebi, 16)}, ask(kMebi, {"clients"}, 8)).file() == "record-1.json");
  CHECK(Looked({download_of(kMebi, 64)}, ask(kMebi, {"clients"}, 8)).file().empty());
  CHECK(Looked({download_of(kMebi, 64)}, ask(kMebi, {})).file().empty());
}

TEST_CASE("records of other machines are left aside, and it is said") {
  const auto question = ask(kMebi, {});
  const Looked none({download_of(kMebi)}, question, "EPYC");
  CHECK(none.found.experiment == nullptr);
  REQUIRE(none.found.aside.size() == 1);
  CHECK(holds(none.found.aside.front(), "1 record of other machines (2 × Xeon (virtual), Linux 6.1.0)"));
  CHECK(holds(none.found.why_none, "no record of this machine is of download"));
  auto mine = made_on(host_of("EPYC"), download_of(kMebi));
  const Looked some({download_of(kMebi), mine}, question, "EPYC");
  CHECK(some.file() == "record-2.json");
  CHECK(some.found.aside.size() == 1);
  auto kernel = host_of("Xeon");
  kernel.kernel = "6.6.1";
  CHECK(is_of(kernel, download_of(kMebi)));
  CHECK_FALSE(is_of(host_of("Xeon", 64), download_of(kMebi)));
  CHECK_FALSE(is_of(host_of("Xeon"), made(two_of_each())));
}

TEST_CASE("links that nobody asked for do not fit, other sinks do") {
  const auto question = ask(kMebi, {});
  auto slow = download_of(kMebi);
  slow.spec.offloads = false;
  CHECK(Looked({slow}, question).file().empty());
  auto discarded = download_of(kMebi);
  discarded.spec.sink = "file";
  const Looked other({discarded}, question);
  CHECK(other.file() == "record-1.json");
  CHECK(other.found.differences.size() == 1);
  auto over = question;
  over.link = "loopback";
  const Looked nothing({download_of(kMebi)}, over);
  CHECK(nothing.file().empty());
  CHECK(holds(nothing.found.why_none, "download over loopback"));
  auto said = ask(kMebi, {"sink"});
  CHECK(Looked({discarded}, said).file().empty());
}

TEST_CASE("one datapath alone compares nothing, and another workload is another question") {
  auto alone = download_of(kMebi);
  alone.contestants.pop_back();
  CHECK(holds(Looked({alone}, ask(kMebi, {})).found.why_none, "compares nothing"));
  auto other = download_of(kMebi);
  other.spec.workload = "upload";
  CHECK(holds(Looked({other}, ask(kMebi, {})).found.why_none, "no record of this machine is of download"));
  CHECK(holds(Looked({}, ask(kMebi, {})).found.why_none, "no record of this machine is of download"));
}

TEST_CASE("of equals the one with most datapaths is taken, then the newest") {
  const auto question = ask(kMebi, {});
  CHECK(Looked({download_of(kMebi, 1, 2), download_of(kMebi, 1, 7), download_of(kMebi, 1, 5)}, question).file() ==
        "record-2.json");
  auto more = download_of(kMebi, 1, 1);
  more.contestants.push_back(more.contestants.front());
  more.contestants.back().label = "sendfile";
  CHECK(Looked({download_of(kMebi, 1, 7), more}, question).file() == "record-2.json");
}

TEST_CASE("what was just measured is taken, whatever differs, over the link with most datapaths") {
  auto record = download_of(32 * kMebi);
  record.environment.links["vhost"].kind = "vhost";
  record.contestants.push_back(record.contestants.front());
  record.contestants.back().label = "dpdk";
  record.contestants.back().link = "vhost";
  const auto set = records_of({record});
  const auto all = experiments(set);
  const auto found = measured(all, ask(1024 * kMebi, {"size"}));
  REQUIRE(found.experiment != nullptr);
  CHECK(found.experiment->link == "veth");
  CHECK(found.differences.size() == 1);
  REQUIRE(found.others.size() == 1);
  CHECK(found.others.front()->link == "vhost");
}
