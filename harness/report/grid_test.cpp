// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/grid.hpp"

#include <catch2/catch.hpp>

namespace waggle::report {
namespace {

TEST_CASE("numbers keep three digits that matter") {
  CHECK(format_number(0) == "0");
  CHECK(format_number(0.01234) == "0.012");
  CHECK(format_number(1) == "1.00");
  CHECK(format_number(41.72) == "41.7");
  CHECK(format_number(999.4) == "999");
  CHECK(format_number(1234567) == "1,234,567");
}

}  // namespace
}  // namespace waggle::report
