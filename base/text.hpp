// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>

/// Names, paths, arguments and what peers say are bytes; terminals and JSON want text. Bytes stay as they are inside
/// the program and become text once, where they leave it.
namespace waggle {

/// `bytes` as they may go to a terminal, a log or a table: UTF-8 that steers nothing. Control characters (C0, DEL, C1)
/// and those that set the direction or break the line of what follows (Unicode 15, sections 23.1 and 23.2) become
/// \uNNNN, bytes that are no UTF-8 become \xNN, except the control characters in `kept`. For people: it cannot be taken
/// back, and doing it again changes nothing.
std::string printable(std::string_view bytes, std::string_view kept = {});

/// `bytes` as valid UTF-8, from which bytes_of() makes them again, whatever they are: a byte that is no part of a
/// character becomes \xNN with two lower-case hexadecimal digits (\x80 to \xff), and a backslash in front of what would
/// read as such an escape becomes \x5c. Everything else stays itself.
std::string utf8_of(std::string_view bytes);

/// What utf8_of() was given. Text that it did not make is taken as it is, but for its escapes.
std::string bytes_of(std::string_view text);

/// A word as it is typed so that a shell takes it for this word: as it is, or between quotes.
std::string shell_word(std::string_view word);

}  // namespace waggle
