// SPDX-License-Identifier: BSD-2-Clause
#include "harness/declared/suite_files.hpp"

#include <catch2/catch.hpp>

#include "base/testing/must.hpp"

namespace waggle::declared {

TEST_CASE("a suite is found by its name or by its path, and a misspelt one is not far") {
  CHECK(test::must(find_suite("quick")).filename() == "quick.toml");
  CHECK(test::must(find_suite("./mine.toml")) == "./mine.toml");
  CHECK(test::must(find_suite("mine.toml")) == "mine.toml");
  CHECK(test::must(find_suite("/somewhere/mine")) == "/somewhere/mine");
  CHECK(find_suite("quik").error().text().find("did you mean quick?") != std::string::npos);
  CHECK(find_suite("nonsense").error().text().find("choose one of: ") != std::string::npos);
}

}  // namespace waggle::declared
