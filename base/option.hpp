// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/words.hpp"

/// Options as they are described: once, by whoever reads their value. Command line, JSON, TOML, --help, completion and
/// `harness list` are made from the description (docs/decisions/0017-options-described-once.md).
namespace waggle {

/// A value on its way between an edge of the program (text, JSON, TOML) and the typed member that holds it. Bytes,
/// counts: std::uint64_t; seconds, rates: double; words and paths: std::string; nothing: std::monostate.
using OptionValue = std::variant<std::monostate, bool, std::uint64_t, double, std::string, std::vector<std::string>>;
/// Values by name.
using OptionValues = std::map<std::string, OptionValue, std::less<>>;

/// Which values an option takes, in which unit, and how they are written.
struct OptionType {
  enum class Kind { flag, number, bytes, seconds, rate, share, choice, text, list };

  Kind kind = Kind::text;
  std::string shown = "TEXT";             ///< stands for a value in --help; empty: a flag that takes none there
  std::vector<std::string> words = {};    ///< choice: all of them; flag: {no, yes}
  std::uint64_t least = 0;                ///< number, bytes; list: how many items
  std::uint64_t most = UINT64_MAX;        ///< likewise
  std::optional<std::uint64_t> or_ = {};  ///< number, bytes: a value outside these bounds with a meaning of its own
  bool above_zero = false;                ///< seconds
  bool optional = false;                  ///< text: may have no value at all, which is null in JSON

  /// Set by its name alone on a command line, true or false elsewhere.
  static OptionType flag();
  /// One of two words on a command line, true or false in JSON.
  static OptionType on_or_off(std::string on = "on", std::string off = "off");
  /// "64", "4KiB".
  static OptionType number(std::uint64_t least = 0, std::uint64_t most = UINT64_MAX,
                           std::optional<std::uint64_t> or_ = {});
  /// "65536", "64KiB", "1.5GiB" (parse_size()).
  static OptionType bytes(std::uint64_t least = 0, std::uint64_t most = UINT64_MAX);
  /// "90", "1.5s", "200ms" (parse_duration()).
  static OptionType seconds();
  static OptionType seconds_above_zero();
  /// Per second: "1500", "20k" (parse_rate()).
  static OptionType rate();
  /// A probability or a share: "0.01", "1%".
  static OptionType share();
  static OptionType choice(std::vector<std::string> words);
  static OptionType text(std::string shown);
  static OptionType optional_text(std::string shown);
  /// Separated by commas.
  static OptionType list(std::string shown, std::uint64_t least, std::uint64_t most);

  /// The value that a user has written. Fault::usage with what is wrong of it and what would do, without the name of
  /// the option: see in_option().
  Result<OptionValue> parse(std::string_view text) const;
  /// Fault::usage, likewise, when the value is of another kind or out of bounds.
  Result<> check(const OptionValue& value) const;
  /// As parse() reads it again: "1GiB", "20s", "yes".
  std::string print(const OptionValue& value) const;
};

constexpr auto words_of(OptionType::Kind) {
  using Kind = OptionType::Kind;
  return std::to_array<Word<Kind>>({{Kind::flag, "flag"},
                                    {Kind::number, "number"},
                                    {Kind::bytes, "bytes"},
                                    {Kind::seconds, "seconds"},
                                    {Kind::rate, "rate"},
                                    {Kind::share, "share"},
                                    {Kind::choice, "choice"},
                                    {Kind::text, "text"},
                                    {Kind::list, "list"}});
}

/// One option: what a user has to know of it.
struct OptionInfo {
  std::string name;           ///< of the value in JSON and TOML: "send_buffer"
  std::string default_value;  ///< as text
  OptionType type;
  std::string help;
  std::vector<std::string_view> links = {};  ///< the kinds of links where it means something; empty: all
  std::string flag = {};                     ///< on the command line; empty: "--send-buffer"
  std::string group = {};                    ///< in --help; empty: not on the command line of `harness run`

  /// How it is called on the command line: "--send-buffer".
  std::string on_command_line() const;
};

/// "--afxdp-busy-poll" for "busy_poll" or "afxdp.busy_poll".
std::string on_command_line(std::string name);

/// The one of that name. Fault::usage with the nearest known name, or all of them.
Result<const OptionInfo*> find_option(std::span<const OptionInfo> options, std::string_view name);

/// `error` of a value with the name of its option in front: "--size: 'much' is not a size".
std::unexpected<Error> in_option(std::string_view option, Error error);

}  // namespace waggle
