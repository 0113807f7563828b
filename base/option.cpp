// SPDX-License-Identifier: BSD-2-Clause
#include "base/option.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

#include "base/suggest.hpp"
#include "base/units.hpp"

namespace waggle {
namespace {

using Kind = OptionType::Kind;

constexpr std::array<std::string_view, 4> kYes{"yes", "on", "true", "1"};
constexpr std::array<std::string_view, 4> kNo{"no", "off", "false", "0"};
struct BinaryUnit {
  std::string_view name;
  int shift;
};
/// The largest first.
constexpr std::array kBinaryUnits{BinaryUnit{"GiB", 30}, BinaryUnit{"MiB", 20}, BinaryUnit{"KiB", 10}};
/// Whoever keeps a time keeps nanoseconds in 63 bits.
constexpr double kMostSeconds = 9e9;

bool holds(std::span<const std::string_view> words, std::string_view text) {
  return std::ranges::find(words, text) != words.end();
}

Result<OptionValue> parse_flag(std::string_view text, const std::vector<std::string>& words) {
  const bool yes = holds(kYes, text);
  if (!yes && !holds(kNo, text)) {
    return fail(Fault::usage, fmt::format("'{}' is none of its values", text),
                fmt::format("choose one of: {}, {}", words[1], words[0]));
  }
  return OptionValue(yes);
}

/// Digits, and a binary unit: rings and windows have sizes like 4KiB.
Result<OptionValue> parse_count(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto rest = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto unit = std::ranges::find(kBinaryUnits, rest, &BinaryUnit::name);
  if (error != std::errc{} || (!rest.empty() && unit == kBinaryUnits.end())) {
    return fail(Fault::usage, fmt::format("'{}' is not a number", text), "write it in digits, as in 64 or 4KiB");
  }
  const int shift = rest.empty() ? 0 : unit->shift;
  if (number > UINT64_MAX >> shift) {
    return fail(Fault::usage, fmt::format("'{}' does not fit into 64 bits", text), "choose a smaller one");
  }
  return OptionValue(number << shift);
}

Result<OptionValue> parse_share(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto number = parse_rate(text.substr(0, text.size() - (percent ? 1 : 0)));
  const double value = number ? *number / (percent ? 100 : 1) : -1;
  if (value < 0 || value > 1) {
    return fail(Fault::usage, fmt::format("'{}' is no probability", text),
                "give one from 0 to 1, or in per cent: 0.01, 1%");
  }
  return OptionValue(value);
}

OptionValue parse_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    items.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

template <typename T>
Result<OptionValue> as_value(const Result<T>& parsed) {
  return parsed ? Result<OptionValue>(OptionValue(*parsed)) : std::unexpected(parsed.error());
}

Result<OptionValue> parse_time(std::string_view text) {
  WAGGLE_LET(time, parse_duration(text));
  return OptionValue(std::chrono::duration<double>(time).count());
}

/// The largest unit that leaves no fraction: "1GiB", "1500".
std::string print_bytes(std::uint64_t bytes) {
  for (const auto& [unit, shift] : kBinaryUnits) {
    if (bytes != 0 && bytes % (std::uint64_t{1} << shift) == 0) {
      return fmt::format("{}{}", bytes >> shift, unit);
    }
  }
  return fmt::format("{}", bytes);
}

/// As few digits as tell it from its neighbours, and no exponent, which nobody writes and parse() does not read.
std::string print_real(double value) {
  std::array<char, 400> digits{};  // of which the least and the greatest double take less
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed).ptr;
  return {digits.data(), end};
}

Result<> check_bounds(const OptionType& type, std::uint64_t value) {
  if ((value >= type.least && value <= type.most) || value == type.or_) {
    return {};
  }
  const auto print = [&](std::uint64_t bound) { return type.print(OptionValue(bound)); };
  const std::string apart = type.or_ ? fmt::format("{}, or ", print(*type.or_)) : "";
  return fail(Fault::usage, fmt::format("{} is out of bounds", print(value)),
              type.most == UINT64_MAX ? fmt::format("give {}{} or more", apart, print(type.least))
                                      : fmt::format("give {}{} to {}", apart, print(type.least), print(type.most)));
}

Result<> check_word(const OptionType& type, const std::string& word) {
  if (std::ranges::find(type.words, word) != type.words.end()) {
    return {};
  }
  const std::string nearest = suggest(word, type.words);
  return fail(Fault::usage, fmt::format("'{}' is none of its values", word),
              fmt::format("{}choose one of: {}", nearest.empty() ? "" : fmt::format("did you mean {}? ", nearest),
                          fmt::join(type.words, ", ")));
}

Result<> check_items(const OptionType& type, std::size_t items) {
  if (items == 0 || (items >= type.least && items <= type.most)) {
    return {};
  }
  return fail(Fault::usage, fmt::format("{} is a wrong number of values", items),
              fmt::format("write them like {}", type.shown));
}

Result<> check_real(const OptionType& type, double value) {
  if (std::isfinite(value) && (type.above_zero ? value > 0 : value >= 0) && (type.kind != Kind::share || value <= 1) &&
      (type.kind != Kind::seconds || value <= kMostSeconds)) {
    return {};
  }
  return type.kind == Kind::seconds && value == 0
             ? fail(Fault::usage, "'0' is no time at all", "write it like 10s, 200ms or 1.5m")
             : fail(Fault::usage, fmt::format("{} is out of bounds", value),
                    type.kind == Kind::share ? "give 0 to 1"
                    : value > 0              ? "give a smaller one"
                                             : "give no negative one");
}

/// Whether the value is of the type that the kind has.
bool fits(Kind kind, const OptionValue& value) {
  switch (kind) {
    case Kind::flag: return std::holds_alternative<bool>(value);
    case Kind::number:
    case Kind::bytes: return std::holds_alternative<std::uint64_t>(value);
    case Kind::seconds:
    case Kind::rate:
    case Kind::share: return std::holds_alternative<double>(value);
    case Kind::choice:
    case Kind::text: return std::holds_alternative<std::string>(value);
    case Kind::list: return std::holds_alternative<std::vector<std::string>>(value);
  }
  return false;
}

}  // namespace

OptionType OptionType::flag() {
  return {.kind = Kind::flag, .shown = "", .words = {"no", "yes"}};
}

OptionType OptionType::on_or_off(std::string on, std::string off) {
  std::string shown = fmt::format("{}|{}", on, off);
  return {.kind = Kind::flag, .shown = std::move(shown), .words = {std::move(off), std::move(on)}};
}

OptionType OptionType::number(std::uint64_t least, std::uint64_t most, std::optional<std::uint64_t> or_) {
  return {.kind = Kind::number, .shown = "N", .least = least, .most = most, .or_ = or_};
}

OptionType OptionType::bytes(std::uint64_t least, std::uint64_t most) {
  return {.kind = Kind::bytes, .shown = "BYTES", .least = least, .most = most};
}

OptionType OptionType::seconds() {
  return {.kind = Kind::seconds, .shown = "TIME"};
}

OptionType OptionType::seconds_above_zero() {
  return {.kind = Kind::seconds, .shown = "TIME", .above_zero = true};
}

OptionType OptionType::rate() {
  return {.kind = Kind::rate, .shown = "RATE"};
}

OptionType OptionType::share() {
  return {.kind = Kind::share, .shown = "SHARE"};
}

OptionType OptionType::choice(std::vector<std::string> words) {
  std::string shown = fmt::format("{}", fmt::join(words, "|"));
  return {.kind = Kind::choice, .shown = std::move(shown), .words = std::move(words)};
}

OptionType OptionType::text(std::string shown) {
  return {.kind = Kind::text, .shown = std::move(shown)};
}

OptionType OptionType::optional_text(std::string shown) {
  return {.kind = Kind::text, .shown = std::move(shown), .optional = true};
}

OptionType OptionType::list(std::string shown, std::uint64_t least, std::uint64_t most) {
  return {.kind = Kind::list, .shown = std::move(shown), .least = least, .most = most};
}

Result<OptionValue> OptionType::parse(std::string_view text) const {
  Result<OptionValue> value;
  switch (kind) {
    case Kind::flag: value = parse_flag(text, words); break;
    case Kind::number: value = parse_count(text); break;
    case Kind::bytes: value = as_value(parse_size(text)); break;
    case Kind::seconds: value = parse_time(text); break;
    case Kind::rate: value = as_value(parse_rate(text)); break;
    case Kind::share: value = parse_share(text); break;
    case Kind::choice:
    case Kind::text: value = OptionValue(std::string(text)); break;
    case Kind::list: value = parse_list(text); break;
  }
  if (value) {
    WAGGLE_TRY(check(*value));
  }
  return value;
}

Result<> OptionType::check(const OptionValue& value) const {
  if (optional && std::holds_alternative<std::monostate>(value)) {
    return {};
  }
  if (!fits(kind, value)) {
    return fail(Fault::usage, "it takes values of another kind",
                shown.empty() ? "write true or false" : fmt::format("write it like {}", shown));
  }
  switch (kind) {
    case Kind::number:
    case Kind::bytes: return check_bounds(*this, std::get<std::uint64_t>(value));
    case Kind::seconds:
    case Kind::rate:
    case Kind::share: return check_real(*this, std::get<double>(value));
    case Kind::choice: return check_word(*this, std::get<std::string>(value));
    case Kind::list: return check_items(*this, std::get<std::vector<std::string>>(value).size());
    default: return {};
  }
}

std::string OptionType::print(const OptionValue& value) const {
  if (const auto* yes = std::get_if<bool>(&value)) {
    return words.size() == 2 ? words[*yes ? 1 : 0] : *yes ? "yes" : "no";
  }
  if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    return kind == Kind::bytes ? print_bytes(*number) : fmt::format("{}", *number);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return print_real(*real) + (kind == Kind::seconds ? "s" : "");
  }
  if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    return fmt::format("{}", fmt::join(*items, ","));
  }
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}

std::string on_command_line(std::string name) {
  std::ranges::replace_if(name, [](char c) { return c == '_' || c == '.'; }, '-');
  return "--" + name;
}

std::string OptionInfo::on_command_line() const {
  return flag.empty() ? waggle::on_command_line(name) : flag;
}

Result<const OptionInfo*> find_option(std::span<const OptionInfo> options, std::string_view name) {
  const auto found = std::ranges::find(options, name, &OptionInfo::name);
  if (found != options.end()) {
    return &*found;
  }
  std::vector<std::string> names;
  std::ranges::transform(options, std::back_inserter(names), &OptionInfo::name);
  const std::string nearest = suggest(name, names);
  return fail(Fault::usage, fmt::format("there is no option '{}'", name),
              names.empty()      ? "there are none here"
              : !nearest.empty() ? fmt::format("did you mean {}?", nearest)
                                 : fmt::format("it has: {}", fmt::join(names, ", ")));
}

std::unexpected<Error> in_option(std::string_view option, Error error) {
  error.what = fmt::format("{}: {}", option, error.what);
  return std::unexpected(std::move(error));
}

}  // namespace waggle
