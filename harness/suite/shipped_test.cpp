// SPDX-License-Identifier: BSD-2-Clause
// The suites that come with the program.
#include <catch2/catch.hpp>
#include <set>

#include "base/testing/must.hpp"
#include "harness/declared/suite_files.hpp"
#include "harness/suite/estimate.hpp"

namespace waggle::suite {

using declared::find_suite;
using declared::shipped_suites;
using declared::suites_in;

TEST_CASE("every suite that comes with the program is read, says what it is for, and takes about as long as it says") {
  const auto files = suites_in(shipped_suites());
  CHECK(files.size() > 10);
  std::set<std::string> digests;
  for (const auto& file : files) {
    INFO(file);
    const Suite suite = test::must(read_suite(file));
    CHECK(suite.head.title.size() > 3);
    CHECK(suite.head.title.size() < 60);
    CHECK(suite.head.about.size() > 20);
    const Estimate all = estimate(suite.experiments);
    CHECK(check_meant(all).has_value());
    CHECK(all.seconds < 2 * suite.head.seconds);
    for (const Planned& planned : suite.experiments) {
      CHECK_FALSE(planned.problem.has_value());
    }
  }
}

TEST_CASE("what is full has all that answer a claim") {
  std::set<std::string> in_full;
  for (const Planned& planned : test::must(read_suite(test::must(find_suite("full")))).experiments) {
    in_full.insert(planned.suite);
  }
  for (const auto& file : suites_in(shipped_suites())) {
    const std::string name = file.stem().string();
    CHECK((name == "full" || name == "quick" || in_full.contains(name)));
  }
}

}  // namespace waggle::suite
