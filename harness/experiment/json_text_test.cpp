// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/json_text.hpp"

#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "harness/experiment/control.hpp"

using namespace waggle;
using namespace waggle::experiment;
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

TEST_CASE("names and errors cross processes as the bytes that they are") {
  auto ends = Control::make();
  REQUIRE(ends);
  auto& [harness, other] = *ends;
  const Control agent(std::move(other));
  Control writer(UniqueFd(::dup(agent.fd())));
  const Error error{Fault::denied, "cannot open 'caf\xe9\x1b'", "look at \xff", 13};
  REQUIRE(writer.send({{"error", error_to_json(error)}}));
  const auto message = harness.receive();
  REQUIRE(message);
  const Error there = error_from_json(message->at("error"));
  CHECK(there.what == error.what);
  CHECK(there.hint == error.hint);
}
