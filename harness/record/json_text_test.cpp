// SPDX-License-Identifier: BSD-2-Clause
#include "harness/record/json_text.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace waggle;
using namespace waggle::record;
using nlohmann::json;

TEST_CASE("JSON of any bytes is valid, is safe to show and gives the bytes back") {
  const json value{{"file", "caf\xe9\x1b]0;title\a\n"},
                   {"\xff", {"\u202e", "\xc2\x9b", "\\xe9", "Zoë", "\"", 1.5, nullptr, {{"deep", "\x80"}}}}};
  for (const int indent : {-1, 2}) {
    const std::string text = json_text(value, indent);
    INFO(text);
    CHECK(json::accept(text));
    CHECK(text.find_first_of("\x1b\a\x7f\xc2\xff") == std::string::npos);
    CHECK((text.find('\n') == std::string::npos) == (indent < 0));
    CHECK(text.find("\u202e") == std::string::npos);
    CHECK(text.find("Zoë") != std::string::npos);
    CHECK(parse_json(text).value() == value);
  }
  CHECK(json_text({{"name", "caf\xe9"}}) == R"({"name":"caf\\xe9"})");
}

TEST_CASE("what is no JSON, or nested without end, is refused") {
  CHECK_FALSE(parse_json(""));
  CHECK_FALSE(parse_json("{\"a\": \"\xff\"}"));
  CHECK(parse_json(std::string(60, '[') + std::string(60, ']')));
  for (const std::size_t depth : {std::size_t{100}, std::size_t{1'000'000}}) {
    const auto deep = parse_json(std::string(depth, '[') + std::string(depth, ']'));
    REQUIRE_FALSE(deep);
    CHECK(deep.error().fault == Fault::corrupt);
  }
}
