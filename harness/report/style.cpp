// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/style.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace waggle::report {

std::string paint(const Style& style, Ink ink, std::string_view text) {
  if (!style.colour || ink == Ink::plain || text.empty()) {
    return std::string(text);
  }
  const auto code = [ink] {
    switch (ink) {
      case Ink::strong: return "1";
      case Ink::good: return "32";
      case Ink::warning: return "33";
      case Ink::bad: return "31";
      case Ink::faint: return "2";
      case Ink::plain: break;
    }
    return "0";
  }();
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  bool in_code = false;
  for (const char c : text) {
    in_code = in_code || c == '\x1b';
    count += !in_code && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    in_code = in_code && c != 'm';
  }
  return count;
}

std::string wrap(const Style& style, std::string_view text, std::size_t indent) {
  if (style.width == 0) {
    return std::string(text);
  }
  const std::size_t lead = std::min(text.find_first_not_of(' '), text.size());
  std::string out(lead, ' ');
  text.remove_prefix(lead);
  std::size_t used = lead;
  bool fresh = true;  // nothing but space is on this line yet
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (!fresh && used + 1 + columns(word) > style.width) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (!fresh) {
      out += ' ';
      ++used;
    }
    out += word;
    used += columns(word);
    fresh = false;
  }
  return out;
}

}  // namespace waggle::report
