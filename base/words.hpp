// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Enums that people write and read: one table for each, by which it is parsed and printed. It stands beside the enum,
/// as a function that is found by argument-dependent lookup:
///
///     enum class Cache { warm, cold };
///     constexpr auto words_of(Cache) {
///       return std::to_array<Word<Cache>>({{Cache::warm, "warm"}, {Cache::cold, "cold"}});
///     }
///
/// A value may have several words: the first one is printed.
namespace waggle {

template <typename E>
struct Word {
  E value;
  std::string_view text;
};

/// An enum with a table.
template <typename E>
concept Worded = std::is_enum_v<E> && requires(E value) { words_of(value).front().text; };

/// How the value is printed; empty when the table does not have it.
template <Worded E>
constexpr std::string_view word_of(E value) {
  for (const auto& [known, text] : words_of(value)) {
    if (known == value) {
      return text;
    }
  }
  return {};
}

/// The value that is written so.
template <Worded E>
constexpr std::optional<E> value_of(std::string_view text) {
  for (const auto& [known, word] : words_of(E{})) {
    if (word == text) {
      return known;
    }
  }
  return std::nullopt;
}

/// What can be chosen: the printed word of every value.
template <Worded E>
std::vector<std::string> choices_of() {
  std::vector<std::string> words;
  for (const auto& [value, text] : words_of(E{})) {
    if (word_of(value) == text) {
      words.emplace_back(text);
    }
  }
  return words;
}

}  // namespace waggle
