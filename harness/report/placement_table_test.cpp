// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <catch2/catch.hpp>

#include "harness/report/testing/brief_record.hpp"

namespace waggle::report {
namespace {

using namespace testing;
using nlohmann::json;

/// Two pairs of which some runs were made elsewhere.
json record_of_placements() {
  auto fast = ok_pair("sendfile", 40e9);
  auto slow = ok_pair("mmap", 20e9);
  for (auto* pair : {&fast, &slow}) {
    auto there = (*pair)["summary"];
    there["goodput_bits_per_second"] = interval(pair == &fast ? 11e9 : 13e9);
    (*pair)["elsewhere"] = {{{"group", 1}, {"summary", there}}};
    (*pair)["runs"].push_back({{"kind", "moved"}, {"status", "ok"}, {"operations", 1}});
  }
  slow["summary"]["ratio"] = {{"to", "sendfile"}, {"median", 0.5}, {"low", 0.4}, {"high", 0.6}, {"runs", 6}};
  auto record = record_of({fast, slow});
  record["placement"] = {
      {"rule", "same"},
      {"server_cpu", 0},
      {"client_cpu", 1},
      {"share", "l3"},
      {"counted", 0},
      {"groups",
       {{{"lowest_ns", 74.2}, {"median_ns", 76}, {"highest_ns", 81.4}, {"runs", {{"sendfile", 6}, {"mmap", 6}}}},
        {{"lowest_ns", 338}, {"median_ns", 340}, {"highest_ns", 352}, {"runs", {{"sendfile", 3}, {"mmap", 4}}}}}}};
  return record;
}

TEST_CASE("below a table stands where its runs were made, and another placement has a table of its own") {
  const auto record = record_of_placements();
  const auto text = compare_table(record, {});
  CAPTURE(text);
  CHECK(holds(text,
              "Placement: 74.2 – 81.4 ns for a cache line there and back between CPU 0 and CPU 1, which share an L3; "
              "12 of 21 timed runs, 2 moved midway, 7 at 338 – 352 ns.\n"));
  CHECK(holds(text, "0.50 (0.40 – 0.60)"));
  auto few = record;
  few["pairs"][1]["summary"]["ratio"]["runs"] = 3;
  CHECK(holds(compare_table(few, {}), "0.50 (0.40 – 0.60, 75 %)"));
  const auto other = text.find("The same between CPUs that are 338 – 352 ns apart\n");
  REQUIRE(other != std::string::npos);
  CHECK(text.find("40.0") < other);
  // Ranked anew: what is best here need not be best there.
  CHECK(text.find("13.0", other) < text.find("11.0", other));
  CHECK(widest(compare_table(record, {.width = 80})) <= 80);
}

TEST_CASE("one candidate's table tells its placement as well") {
  auto record = record_of_placements();
  record["pairs"].erase(1);
  for (auto& group : record["placement"]["groups"]) {
    group["runs"].erase("mmap");
  }
  const auto text = run_table(record, {});
  CAPTURE(text);
  CHECK(holds(text, "verified in 3 runs (1 timed, 0 warm-up, 1 probed, 1 moved)"));
  CHECK(holds(text, "74.2 – 81.4 ns  between CPU 0 and CPU 1, which share an L3; 6 of 10 timed runs, 1 moved midway"));
  CHECK(holds(text, "The same between CPUs that are 338 – 352 ns apart\n"));
  CHECK(holds(text, "11 Gbit/s"));
}

TEST_CASE("figures of several placements are a warning, unless they were asked for") {
  auto record = record_of_placements();
  record["placement"]["counted"] = nullptr;
  for (auto& pair : record["pairs"]) {
    pair.erase("elsewhere");
  }
  CHECK(holds(compare_table(record, {.colour = true}), "\x1b[33mPlacement: 74.2 – 352 ns"));
  CHECK(holds(compare_table(record, {}), "no placement has runs of all, so all runs count"));
  record["placement"]["rule"] = "any";
  CHECK(holds(compare_table(record, {.colour = true}), "\nPlacement: 74.2 – 352 ns"));
}

}  // namespace
}  // namespace waggle::report
