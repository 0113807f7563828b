// SPDX-License-Identifier: BSD-2-Clause
#include "base/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace waggle {
namespace {

struct Unit {
  std::string_view suffix;  ///< lower case
  double factor;
};

constexpr double kKi = 1024;
constexpr std::array kSizeUnits{
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"k", kKi},
    Unit{"kib", kKi},
    Unit{"kb", 1e3},
    Unit{"m", kKi* kKi},
    Unit{"mib", kKi* kKi},
    Unit{"mb", 1e6},
    Unit{"g", kKi* kKi* kKi},
    Unit{"gib", kKi* kKi* kKi},
    Unit{"gb", 1e9},
    Unit{"t", kKi* kKi* kKi* kKi},
    Unit{"tib", kKi* kKi* kKi* kKi},
    Unit{"tb", 1e12},
};
constexpr std::array kTimeUnits{
    Unit{"", 1e9},   Unit{"s", 1e9}, Unit{"sec", 1e9}, Unit{"ms", 1e6},   Unit{"us", 1e3},
    Unit{"µs", 1e3}, Unit{"ns", 1},  Unit{"m", 60e9},  Unit{"min", 60e9}, Unit{"h", 3'600e9},
};
constexpr std::array kRateUnits{Unit{"", 1}, Unit{"k", 1e3}, Unit{"m", 1e6}, Unit{"g", 1e9}, Unit{"t", 1e12}};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// A number split from its unit.
struct Quantity {
  double number = 0;
  std::optional<std::uint64_t> whole;  ///< exact, when it has no fraction
  double factor = 1;
};

std::optional<Quantity> split(std::string_view text, std::span<const Unit> units) {
  const char* const start = text.data();
  const char* const end = start + text.size();
  Quantity quantity;
  const auto [rest, error] = std::from_chars(start, end, quantity.number, std::chars_format::fixed);
  if (error != std::errc{} || text.front() == '-' || !std::isfinite(quantity.number)) {
    return std::nullopt;
  }
  std::uint64_t whole = 0;
  const auto [whole_rest, whole_error] = std::from_chars(start, rest, whole);
  if (whole_error == std::errc{} && whole_rest == rest) {
    quantity.whole = whole;
  }
  std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  suffix.remove_prefix(std::min(suffix.find_first_not_of(' '), suffix.size()));
  const auto unit = std::ranges::find(units, lower(suffix), &Unit::suffix);
  if (unit == units.end()) {
    return std::nullopt;
  }
  quantity.factor = unit->factor;
  return quantity;
}

/// `value` with three digits that matter, without a fraction that says nothing.
std::string three_digits(double value) {
  std::string text = fmt::format("{:.{}f}", value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
  if (text.ends_with(".00") || text.ends_with(".0")) {
    text.resize(text.find('.'));
  }
  return text;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto quantity = split(text, kSizeUnits);
  if (!quantity) {
    return fail(Fault::usage, fmt::format("'{}' is not a size", text), "write it like 1500, 64K, 1.5M or 1GiB");
  }
  const double bytes = std::round(quantity->number * quantity->factor);
  if (bytes >= 18446744073709551616.0) {
    return fail(Fault::usage, fmt::format("the size '{}' does not fit into 64 bits", text), "choose a smaller one");
  }
  return quantity->whole ? *quantity->whole * static_cast<std::uint64_t>(quantity->factor)
                         : static_cast<std::uint64_t>(bytes);
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const auto quantity = split(text, kTimeUnits);
  if (!quantity || quantity->number * quantity->factor > 9e18) {
    return fail(Fault::usage, fmt::format("'{}' is not a time", text), "write it like 10s, 200ms or 1.5m");
  }
  return std::chrono::nanoseconds(std::llround(quantity->number * quantity->factor));
}

Result<double> parse_rate(std::string_view text) {
  std::string_view number = text;
  for (const std::string_view tail : {"bit/s", "bps", "/s", "bit"}) {
    if (number.ends_with(tail)) {
      number.remove_suffix(tail.size());
      break;
    }
  }
  const auto quantity = split(number, kRateUnits);
  if (!quantity) {
    return fail(Fault::usage, fmt::format("'{}' is not a rate", text), "write it like 1500, 20k or 10Gbit/s");
  }
  return quantity->number * quantity->factor;
}

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1024) {
    return fmt::format("{} B", bytes);
  }
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  constexpr std::array kNames{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  while (value >= 1023.5 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", three_digits(value), kNames[unit]);
}

std::string format_rate(double bits_per_second) {
  double value = bits_per_second;
  std::size_t unit = 0;
  constexpr std::array kNames{"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
  while (value >= 999.5 && unit + 1 < kNames.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{} {}", three_digits(value), kNames[unit]);
}

std::string format_duration_ns(double nanoseconds) {
  if (nanoseconds < 999.5) {
    return fmt::format("{} ns", three_digits(nanoseconds));
  }
  if (nanoseconds < 999.5e3) {
    return fmt::format("{} µs", three_digits(nanoseconds / 1e3));
  }
  if (nanoseconds < 999.5e6) {
    return fmt::format("{} ms", three_digits(nanoseconds / 1e6));
  }
  if (nanoseconds < 119.5e9) {
    return fmt::format("{} s", three_digits(nanoseconds / 1e9));
  }
  const auto seconds = static_cast<std::uint64_t>(std::llround(nanoseconds / 1e9));
  if (seconds < 3600) {
    return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  }
  return fmt::format("{} h {:02} min", seconds / 3600, seconds % 3600 / 60);
}

std::string format_count(std::uint64_t count) {
  std::string text = fmt::format("{}", count);
  for (std::size_t from_end = 3; from_end < text.size(); from_end += 4) {
    text.insert(text.size() - from_end, 1, ',');
  }
  return text;
}

}  // namespace waggle
