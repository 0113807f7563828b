// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/style.hpp"

#include <catch2/catch.hpp>

namespace waggle::report {
namespace {

TEST_CASE("text is broken at spaces, and later lines are indented") {
  CHECK(wrap({.width = 12}, "one two three four", 2) == "one two\n  three four");
  CHECK(wrap({.width = 12}, "   one two three", 4) == "   one two\n    three");
  CHECK(wrap({}, "one two three", 2) == "one two three");
}

}  // namespace
}  // namespace waggle::report
