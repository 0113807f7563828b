// SPDX-License-Identifier: BSD-2-Clause
#include "base/text.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <vector>

namespace waggle {
namespace {

TEST_CASE("a name that steers nothing is printed as it is") {
  for (const char* name : {"", "film.mkv", "Zoë – 日本語 𝔘", "a\\b", "\\x1b", "100 %"}) {
    CHECK(printable(name) == name);
  }
}

TEST_CASE("what a terminal would obey is printed, not sent") {
  CHECK(printable("\x1b]0;title\a") == "\\u001b]0;title\\u0007");
  CHECK(printable("two\nlines\r\t") == "two\\u000alines\\u000d\\u0009");
  CHECK(printable(std::string_view("nul\0", 4)) == "nul\\u0000");
  CHECK(printable("\x7f") == "\\u007f");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\u009b31m");                      // C1: CSI in one character
  CHECK(printable("\x9b") == "\\x9b");                          // and in one byte
  CHECK(printable("gpj\u202efdp.exe") == "gpj\\u202efdp.exe");  // right-to-left override
  CHECK(printable("\u2066\u2069\u200f\u2028\ufeff") == "\\u2066\\u2069\\u200f\\u2028\\ufeff");
}

TEST_CASE("what is kept is kept, and nothing else") {
  CHECK(printable("a\nb\x1b", "\n") == "a\nb\\u001b");
  CHECK(printable("\u009b", "\n\t") == "\\u009b");
}

TEST_CASE("printing again changes nothing") {
  const std::string once = printable("\xff\x1b\u202e\\x41");
  CHECK(printable(once) == once);
}

TEST_CASE("bytes that are no UTF-8 are escaped one by one") {
  CHECK(printable("caf\xe9") == "caf\\xe9");
  CHECK(utf8_of("caf\xe9") == "caf\\xe9");
  CHECK(utf8_of("\xc0\xaf") == "\\xc0\\xaf");           // overlong
  CHECK(utf8_of("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(utf8_of("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(utf8_of("\xe2\x82") == "\\xe2\\x82");  // cut off
}

TEST_CASE("valid names stay themselves, but for what reads as an escape") {
  for (const char* name : {"", "film.mkv", "Zoë", "a\\b", "a\\x2db", "\\x1b", "\\xFF", "\\x5", "\x1b[0m\n", "\\"}) {
    CHECK(utf8_of(name) == name);
    CHECK(bytes_of(name) == name);
  }
  CHECK(utf8_of("\\xe9") == "\\x5cxe9");
  CHECK(utf8_of("\\x5c") == "\\x5cx5c");
}

TEST_CASE("whatever the bytes are, they come back") {
  std::mt19937 random(7);
  const std::vector<std::string> pieces{"\\",   "x",    "5c",   "e9", "\\x5c",   "\\xff",
                                        "\xe9", "\xc3", "\xa9", "a",  "\xf0\x9f"};
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (std::size_t left = random() % 8; left > 0; --left) {
      bytes += random() % 4 == 0 ? std::string(1, static_cast<char>(random() % 256)) : pieces[random() % pieces.size()];
    }
    const std::string text = utf8_of(bytes);
    REQUIRE(bytes_of(text) == bytes);
    REQUIRE(printable(text, text) == text);  // nothing was left to escape: it is UTF-8
  }
}

TEST_CASE("a word is quoted where a shell would read more than a word") {
  CHECK(shell_word("--output=/srv/a-b_1.toml,x") == "--output=/srv/a-b_1.toml,x");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("x;rm -r $HOME `id`\"") == "'x;rm -r $HOME `id`\"'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("~") == "'~'");
}

}  // namespace
}  // namespace waggle
