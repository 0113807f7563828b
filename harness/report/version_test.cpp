// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "harness/record/record.hpp"
#include "harness/report/table.hpp"

namespace waggle::report {
namespace {

using nlohmann::json;

TEST_CASE("a record of version 1 prints what it printed when it was made") {
  const char* source = std::getenv("WAGGLE_SOURCE");
  const std::string place = std::string(source != nullptr ? source : ".") + "/harness/record/testing/version-1";
  const auto content = [](const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };
  const auto record = record::from_json(json::parse(content(place + ".json"), nullptr, false));
  REQUIRE(record);
  CHECK(record_table(*record, {}) == content(place + ".txt"));
  CHECK(run_table(*record, {}) == content(place + "-full.txt"));
  // And so does what it is written as today.
  const auto again = record::from_json(record::to_json(*record));
  REQUIRE(again);
  CHECK(record_table(*again, {}) == content(place + ".txt"));
}

}  // namespace
}  // namespace waggle::report
