// SPDX-License-Identifier: BSD-2-Clause
#include "base/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace waggle {
namespace {

constexpr std::size_t kEscape = 4;  ///< bytes of "\xNN"
constexpr std::uint8_t kBackslash = 0x5c;

/// The character that bytes begin with; a length of 0 when they begin with none.
struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;
};

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

/// Strict, as RFC 3629 wants it: no overlong forms, no surrogates, nothing above U+10FFFF.
Character first_character(std::string_view bytes) {
  const std::uint8_t lead = byte_at(bytes, 0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  const std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || bytes.size() < length) {
    return {};
  }
  std::uint32_t code = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(bytes, i) & 0xc0U) != 0x80) {
      return {};
    }
    code = code << 6U | (byte_at(bytes, i) & 0x3fU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return overlong || surrogate || code > 0x10ffff ? Character{} : Character{code, length};
}

bool is_between(std::uint32_t code, std::uint32_t first, std::uint32_t last) {
  return code >= first && code <= last;
}

/// Characters that are not shown but obeyed.
bool steers(std::uint32_t code) {
  return code < 0x20 || is_between(code, 0x7f, 0x9f)             // C0, DEL, C1
         || code == 0x61c || is_between(code, 0x200e, 0x200f)    // marks of direction
         || is_between(code, 0x2028, 0x202e)                     // separators of lines, embeddings and overrides
         || is_between(code, 0x2066, 0x2069) || code == 0xfeff;  // isolates, byte order mark
}

bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// The byte that an escape at the beginning of `text` stands for; only those that utf8_of() writes are escapes.
std::optional<std::uint8_t> escaped(std::string_view text) {
  if (text.size() < kEscape || !text.starts_with("\\x") || !is_hexadecimal(text[2]) || !is_hexadecimal(text[3])) {
    return std::nullopt;
  }
  std::uint8_t byte = 0;
  std::from_chars(text.data() + 2, text.data() + kEscape, byte, 16);
  return byte >= 0x80 || byte == kBackslash ? std::optional(byte) : std::nullopt;
}

void append_escape(std::string& out, std::uint8_t byte) {
  out += fmt::format("\\x{:02x}", byte);
}

}  // namespace

std::string printable(std::string_view bytes, std::string_view kept) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto [code, length] = first_character(bytes);
    if (length == 0) {
      append_escape(out, byte_at(bytes, 0));
    } else if (steers(code) && !kept.contains(bytes.front())) {
      out += fmt::format("\\u{:04x}", code);
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string utf8_of(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = first_character(bytes).length;
    if (length == 0 || escaped(bytes)) {
      append_escape(out, byte_at(bytes, 0));
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string bytes_of(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto byte = escaped(text);
    out += byte ? static_cast<char>(*byte) : text.front();
    text.remove_prefix(byte ? kEscape : 1);
  }
  return out;
}

std::string shell_word(std::string_view word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string_view("'\\''") : std::string_view(&c, 1);
  }
  return quoted + "'";
}

}  // namespace waggle
