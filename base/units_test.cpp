// SPDX-License-Identifier: BSD-2-Clause
#include "base/units.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace waggle {
namespace {

using namespace std::chrono_literals;

TEST_CASE("sizes are read as people write them") {
  CHECK(parse_size("1500") == 1500U);
  CHECK(parse_size("0") == 0U);
  CHECK(parse_size("64K") == 65536U);
  CHECK(parse_size("64k") == 65536U);
  CHECK(parse_size("1.5M") == 1536U * 1024);
  CHECK(parse_size("1GiB") == 1024U * 1024 * 1024);
  CHECK(parse_size("1 GiB") == 1024U * 1024 * 1024);
  CHECK(parse_size("100kB") == 100'000U);
  CHECK(parse_size("2MB") == 2'000'000U);
  CHECK(parse_size("2GB") == 2'000'000'000U);
  CHECK(parse_size("3T") == 3ULL << 40U);
}

TEST_CASE("sizes above 2^53 stay exact") {
  CHECK(parse_size("9007199254740993") == 9007199254740993ULL);
  CHECK(parse_size("18446744073709549568") == 18446744073709549568ULL);
}

TEST_CASE("what is no size is refused as wrong use") {
  for (const char* text : {"", " ", "K", "-1", "1X", "1.5.2K", "1GiBs", "0x10", "1e3", "nan", "inf", "20000000T"}) {
    INFO(text);
    const auto result = parse_size(text);
    REQUIRE_FALSE(result);
    CHECK(exit_code(result.error()) == 2);
    CHECK_FALSE(result.error().hint.empty());
  }
}

TEST_CASE("durations are read with their unit, bare numbers are seconds") {
  CHECK(parse_duration("10s") == 10s);
  CHECK(parse_duration("10") == 10s);
  CHECK(parse_duration("200ms") == 200ms);
  CHECK(parse_duration("50us") == 50us);
  CHECK(parse_duration("100ns") == 100ns);
  CHECK(parse_duration("1m") == 60s);
  CHECK(parse_duration("1.5min") == 90s);
  CHECK(parse_duration("2h") == 2h);
  CHECK_FALSE(parse_duration("-1s"));
  CHECK_FALSE(parse_duration("soon"));
  CHECK_FALSE(parse_duration("10000000h"));
}

TEST_CASE("rates are decimal") {
  CHECK(parse_rate("1500") == 1500.0);
  CHECK(parse_rate("20k") == 20e3);
  CHECK(parse_rate("10Gbit/s") == 10e9);
  CHECK(parse_rate("2.5M/s") == 2.5e6);
  CHECK_FALSE(parse_rate("fast"));
  CHECK_FALSE(parse_rate("-3k"));
  CHECK_FALSE(parse_rate("/s"));
}

TEST_CASE("bytes, rates, durations and counts are printed with three digits that matter") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1536) == "1.50 KiB");
  CHECK(format_bytes(1ULL << 30U) == "1 GiB");
  CHECK(format_bytes((1ULL << 30U) - 1) == "1 GiB");
  CHECK(format_bytes(123'456'789) == "118 MiB");
  CHECK(format_bytes(std::numeric_limits<std::uint64_t>::max()) == "16 EiB");
  CHECK(format_rate(0) == "0 bit/s");
  CHECK(format_rate(23.44e9) == "23.4 Gbit/s");
  CHECK(format_rate(999.9e6) == "1 Gbit/s");
  CHECK(format_duration_ns(812) == "812 ns");
  CHECK(format_duration_ns(50'700) == "50.7 µs");
  CHECK(format_duration_ns(6.5e6) == "6.50 ms");
  CHECK(format_duration_ns(12.34e9) == "12.3 s");
  CHECK(format_duration_ns(125e9) == "2 min 05 s");
  CHECK(format_duration_ns(7'260e9) == "2 h 01 min");
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(10'000) == "10,000");
  CHECK(format_count(1'234'567'890) == "1,234,567,890");
}

}  // namespace
}  // namespace waggle
