// SPDX-License-Identifier: BSD-2-Clause
#include "harness/declared/toml_table.hpp"

#include <catch2/catch.hpp>

#include "base/testing/folder.hpp"
#include "base/testing/must.hpp"

namespace waggle::declared {
namespace {

/// What is complained of in a file of this text, without the name of its folder; empty when nothing is.
template <typename Read>
std::string complaint_of(const std::string& text, const Read& read) {
  const test::Folder folder;
  const auto file = folder.write("some.toml", text);
  const Node root = test::must(read_toml(file));
  Complaint complaint("some.toml");
  TomlTable table(root, "a thing", complaint);
  read(table);
  const auto result = complaint.result();
  return result ? std::string() : result.error().text();
}

void read_all(TomlTable& table) {
  table.some_text("title");
  table.texts("names");
  table.number("size");
  table.leave({"others"});
  table.refuse_others("; nothing else");
}

}  // namespace

TEST_CASE("a table complains of the first thing that is wrong, with its place and what was meant") {
  CHECK(complaint_of("title = 'x'\nothers = 3\nsize = 2\n", read_all).empty());
  CHECK(complaint_of("title = 'x'\nname = ['a']\n", read_all) ==
        "some.toml:2:1: a thing has no 'name'; did you mean 'names'?");
  CHECK(complaint_of("title = 'x'\nzebra = 1\nyak = 2\n", read_all) ==
        "some.toml:2:1: a thing has no 'zebra'; it has title, names, size, others; nothing else");
  CHECK(complaint_of("names = ['a', 3]\nzebra = 1\n", read_all) == "some.toml:1:1: a thing needs 'title'");
  CHECK(complaint_of("title = 'x'\nnames = ['a', 3]\nzebra = 1\n", read_all) ==
        "some.toml:2:15: 'names' holds texts, not a whole number");
  CHECK(complaint_of("title = 'x'\nsize = 2020-01-01\n", read_all) ==
        "some.toml:2:8: 'size' is a number, not a date or time");
}

TEST_CASE("one text is a list of one, and values are as somebody writes them") {
  std::vector<std::string> names;
  std::map<std::string, std::string> at;
  const auto read = [&](TomlTable& table) {
    names = table.texts("names");
    at = table.values("at");
  };
  CHECK(complaint_of("names = 'a'\nat = {size = 4, loss = 0.5, wait = true, mode = 'x'}\n", read).empty());
  CHECK(names == std::vector<std::string>{"a"});
  CHECK(at == std::map<std::string, std::string>{{"size", "4"}, {"loss", "0.5"}, {"wait", "true"}, {"mode", "x"}});
}

TEST_CASE("members come in the order of the file, each with its place") {
  const test::Folder folder;
  const Node root = test::must(read_toml(folder.write("some.toml", "b = 1\na = [2, 'c']\n[t]\nz = 1\n")));
  REQUIRE(root.items.size() == 3);
  CHECK(root.items[0].key == "b");
  CHECK(root.items[1].key_place == Place{2, 1});
  CHECK(root.items[1].items[1].place == Place{2, 9});
  CHECK(root.find("t")->find("z")->integer == 1);
  CHECK(root.find("z") == nullptr);
}

TEST_CASE("what nobody can have meant to be read is refused") {
  const test::Folder folder;
  CHECK(read_toml(folder / "none.toml").error().fault == Fault::not_found);
  CHECK(read_toml(folder.path()).error().fault == Fault::usage);
  CHECK(read_toml(folder.write("large.toml", "a = '" + std::string(2'000'000, 'x') + "'")).error().fault ==
        Fault::usage);
  const auto broken = folder.write("broken.toml", "a = 1\nb = \n");
  CHECK(read_toml(broken).error().text().starts_with(broken.native() + ":2:"));
}

}  // namespace waggle::declared
