// SPDX-License-Identifier: BSD-2-Clause
#include "base/option.hpp"

#include <catch2/catch.hpp>

#include "base/option_table.hpp"

namespace waggle {
namespace {

enum class Pace { walk, trot, gallop };
constexpr auto words_of(Pace) {
  return std::to_array<Word<Pace>>(
      {{Pace::walk, "walk"}, {Pace::trot, "trot"}, {Pace::gallop, "gallop"}, {Pace::walk, "amble"}});
}

/// A member of every kind.
struct Ride {
  bool saddle = false;
  bool lights = true;
  std::uint32_t legs = 4;
  int lane = 0;
  std::uint64_t load = 1 << 20;
  double pause = 1.5;
  std::chrono::nanoseconds patience = std::chrono::seconds(10);
  Pace pace = Pace::trot;
  std::string name = "Fury";
  std::filesystem::path stable = "/var/tmp";
  std::optional<std::filesystem::path> map;
  std::vector<std::string> riders;
};

const OptionTable<Ride>& ride_options() {
  static const OptionTable<Ride> table{
      {"saddle", &Ride::saddle, OptionType::flag(), "a saddle"},
      {"lights", &Ride::lights, OptionType::on_or_off(), "lights"},
      {"legs", &Ride::legs, OptionType::number(2, 8, 0), "legs"},
      {"lane", &Ride::lane, OptionType::number(0, 3), "the lane"},
      {"load", &Ride::load, OptionType::bytes(1, 1U << 30), "what is carried"},
      {"pause", &Ride::pause, OptionType::seconds(), "between rides"},
      {"patience", &Ride::patience, OptionType::seconds_above_zero(), "until it is given up"},
      {"pace", &Ride::pace, "how fast"},
      {"name", &Ride::name, OptionType::text("NAME"), "of the horse"},
      {"stable", &Ride::stable, OptionType::text("DIR"), "where it lives"},
      Option("map", &Ride::map, OptionType::optional_text("FILE"), "where it goes").called("--chart"),
      {"riders", &Ride::riders, OptionType::list("NAME,NAME", 2, 2), "two of them"},
  };
  return table;
}

std::string refusal(std::string_view name, std::string_view text) {
  Ride ride;
  const auto done = ride_options().parse(ride, name, text);
  REQUIRE_FALSE(done);
  CHECK(done.error().fault == Fault::usage);
  CHECK(done.error().text().find('\n') == std::string::npos);
  return done.error().text();
}

}  // namespace

TEST_CASE("an enum has one table, which parses and prints") {
  CHECK(word_of(Pace::walk) == "walk");
  CHECK(value_of<Pace>("amble") == Pace::walk);
  CHECK_FALSE(value_of<Pace>("fly"));
  CHECK(choices_of<Pace>() == std::vector<std::string>{"walk", "trot", "gallop"});
}

TEST_CASE("what is printed is parsed again, for every kind of member") {
  Ride ride{.saddle = true,
            .lights = false,
            .legs = 2,
            .lane = 3,
            .load = 3U << 20,
            .pause = 0.25,
            .patience = std::chrono::milliseconds(250),
            .pace = Pace::gallop,
            .name = "Black, Beauty",
            .stable = "/x",
            .map = "/m",
            .riders = {"a", "b"}};
  Ride again;
  for (const OptionInfo& info : ride_options().infos()) {
    INFO(info.name);
    const std::string text = info.type.print(ride_options().values(ride).at(info.name));
    CHECK(ride_options().parse(again, info.name, text));
  }
  CHECK(ride_options().values(again) == ride_options().values(ride));
  CHECK(ride_options().values(ride_options().read(ride_options().values(ride))) == ride_options().values(ride));
  CHECK(ride_options().check(ride));
}

TEST_CASE("defaults are those of the members, and are printed") {
  const auto shown = [](std::string_view name) { return (*find_option(ride_options().infos(), name))->default_value; };
  CHECK(shown("load") == "1MiB");
  CHECK(shown("pause") == "1.5s");
  CHECK(shown("lights") == "on");
  CHECK(shown("pace") == "trot");
  CHECK(shown("map").empty());
  CHECK((*find_option(ride_options().infos(), "map"))->on_command_line() == "--chart");
  CHECK(on_command_line("afxdp.busy_poll") == "--afxdp-busy-poll");
}

TEST_CASE("what is wrong is one line with the name, the reason and what would do") {
  CHECK(refusal("load", "much") == "load: 'much' is not a size; write it like 1500, 64K, 1.5M or 1GiB");
  CHECK(refusal("load", "2GiB") == "load: 2GiB is out of bounds; give 1 to 1GiB");
  CHECK(refusal("legs", "9") == "legs: 9 is out of bounds; give 0, or 2 to 8");
  CHECK(refusal("legs", "-1").starts_with("legs: '-1' is not a number"));
  CHECK(refusal("pace", "trott") ==
        "pace: 'trott' is none of its values; did you mean trot? choose one of: walk, trot, gallop");
  CHECK(refusal("lights", "dim").find("choose one of: on, off") != std::string::npos);
  CHECK(refusal("patience", "0").find("no time at all") != std::string::npos);
  CHECK(refusal("riders", "a,b,c").find("NAME,NAME") != std::string::npos);
  CHECK(refusal("pacee", "walk") == "there is no option 'pacee'; did you mean pace?");
  CHECK(refusal("wings", "2").find("it has: saddle, lights") != std::string::npos);
  Ride ride;
  CHECK(ride_options().set(ride, "legs", std::string("four")).error().text() ==
        "legs: it takes values of another kind; write it like N");
  ride.legs = 100;
  CHECK(ride_options().check(ride).error().what == "--legs: 100 is out of bounds");
  CHECK(OptionType::seconds().check(OptionValue(1e300)).error().text() ==
        "1e+300 is out of bounds; give a smaller one");
}

TEST_CASE("a number may have a binary unit") {
  const auto number = OptionType::number(1, 8192);
  CHECK(number.parse("4KiB") == OptionValue(std::uint64_t{4096}));
  CHECK(OptionType::number().parse("3MiB") == OptionValue(std::uint64_t{3} << 20));
  CHECK(OptionType::number().parse("2GiB") == OptionValue(std::uint64_t{2} << 30));
  CHECK(number.parse("9KiB").error().text() == "9216 is out of bounds; give 1 to 8192");
  for (const auto* nonsense : {"", "KiB", "4kb", "4 KiB", "1.5KiB", "KiB4", "4KiBs", "4B"}) {
    CAPTURE(nonsense);
    CHECK(number.parse(nonsense).error().what == std::string("'") + nonsense + "' is not a number");
  }
  CHECK(OptionType::number().parse("17179869184GiB").error().what == "'17179869184GiB' does not fit into 64 bits");
}

TEST_CASE("a default is printed as it is read, however small or large it is") {
  struct Clock {
    std::chrono::nanoseconds tick = std::chrono::nanoseconds(1);
    std::chrono::nanoseconds slice = std::chrono::microseconds(20);
    double wait = 0.00001;
    double rate = 1e16;
    double most = 1.7976931348623157e308;
    double share = 1e-7;
    double third = 1.0 / 3;
  };
  const OptionTable<Clock> table{{"tick", &Clock::tick, OptionType::seconds_above_zero(), "of a clock"},
                                 {"slice", &Clock::slice, OptionType::seconds(), "of a clock"},
                                 {"wait", &Clock::wait, OptionType::seconds(), "of a clock"},
                                 {"rate", &Clock::rate, OptionType::rate(), "of a clock"},
                                 {"most", &Clock::most, OptionType::rate(), "of a clock"},
                                 {"share", &Clock::share, OptionType::share(), "of a clock"},
                                 {"third", &Clock::third, OptionType::share(), "of a clock"}};
  Clock nothing{{}, {}, 0, 0, 0, 0, 0};
  for (const OptionInfo& info : table.infos()) {
    CAPTURE(info.name, info.default_value);
    CHECK(table.parse(nothing, info.name, info.default_value));
  }
  CHECK(table.values(nothing) == table.values(Clock{}));
  CHECK((*find_option(table.infos(), "slice"))->default_value == "0.00002s");
  CHECK((*find_option(table.infos(), "rate"))->default_value == "10000000000000000");
}

TEST_CASE("a time is the one that was written, to the nanosecond") {
  Ride ride;
  for (const auto& [text, nanoseconds] :
       {std::pair{"1001ms", 1'001'000'000}, {"1.001", 1'001'000'000}, {"1ns", 1}, {"999999999ns", 999'999'999}}) {
    CAPTURE(text);
    CHECK(ride_options().parse(ride, "patience", text));
    CHECK(ride.patience == std::chrono::nanoseconds(nanoseconds));
  }
}

TEST_CASE("no option takes what its member cannot hold") {
  struct Small {
    std::uint32_t count = 0;
    std::uint16_t port = 0;
    int steps = 0;
    std::uint64_t size = 0;
  };
  const OptionTable<Small> table{{"count", &Small::count, OptionType::number(), "of them"},
                                 {"port", &Small::port, OptionType::bytes(1), "of it"},
                                 {"steps", &Small::steps, OptionType::number(0, 1U << 31), "of it"},
                                 {"size", &Small::size, OptionType::number(), "of it"}};
  Small small;
  CHECK(table.parse(small, "count", "4294967297").error().text() ==
        "count: 4294967297 is out of bounds; give 0 to 4294967295");
  CHECK_FALSE(table.set(small, "port", std::uint64_t{65'536}));
  CHECK_FALSE(table.set(small, "steps", std::uint64_t{1} << 31));
  CHECK(table.parse(small, "count", "4294967295"));
  CHECK(table.parse(small, "size", "18446744073709551615"));
  CHECK(small.count == UINT32_MAX);
  CHECK(small.size == UINT64_MAX);
  small.steps = -1;
  CHECK_FALSE(table.check(small));
}

}  // namespace waggle
