// SPDX-License-Identifier: BSD-2-Clause
#include "harness/answers/record_set.hpp"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/answers/testing/folder.hpp"
#include "harness/answers/testing/made.hpp"
#include "harness/record/json_text.hpp"

namespace waggle::answers {
namespace {

namespace fs = std::filesystem;
using namespace testing;

const std::vector<double> kSome{10, 11, 10.5, 10.2, 10.8, 10.1, 10.9, 10.3, 10.7, 10.4, 10.6, 10.5};

TEST_CASE("records come in the order of their making, wherever they lie, and each once") {
  const Folder folder;
  const auto late = made({{"mmap", kSome}}, 9);
  const auto early = made({{"splice", kSome}}, 2);
  folder.write("a/late.json", late);
  folder.write("z/early.json", early);
  folder.write("z/copy/late.json", late);
  folder.write("a/other.json", "{\"schema\": \"something else\"}");
  folder.write("a/notes.txt", "no record");
  const auto set = read_records({folder.path().native()});
  REQUIRE(set);
  REQUIRE(set->sources.size() == 2);
  CHECK(set->sources[0].file == "early.json");
  CHECK(set->sources[0].id == "r1");
  CHECK(set->sources[1].file == "late.json");
  CHECK(set->left_out.empty());
}

/// As gzip packs.
std::string packed(std::string_view text) {
  std::string out(text.size() + 64, '\0');
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
  out.resize(::deflateBound(&stream, text.size()));
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

TEST_CASE("a packed record is the record, under its name; a broken one is left out") {
  const Folder folder;
  const auto text = record::json_text(record::to_json(made({{"mmap", kSome}})));
  const auto whole = folder.write("whole.json.gz", packed(text));
  folder.write("again.json", text);
  folder.write("half.json.gz", packed(text).substr(0, 300));
  const auto named = read_records({whole.native()});
  REQUIRE(named);
  CHECK(named->sources[0].file == "whole.json");
  const auto set = read_records({folder.path().native()});
  REQUIRE(set);
  CHECK(set->sources.size() == 1);
  REQUIRE(set->left_out.size() == 1);
  CHECK(set->left_out[0].starts_with("half.json.gz is not a record"));
}

TEST_CASE("records that a repository keeps are read where they are named, never beside one's own") {
  const Folder folder;
  folder.write("own.json", made({{"mmap", kSome}}));
  folder.write("recorded/machine/theirs.json", made({{"splice", kSome}}));
  const auto own = read_records({folder.path().native()});
  REQUIRE(own);
  REQUIRE(own->sources.size() == 1);
  CHECK(own->sources[0].file == "own.json");
  const auto theirs = read_records({(folder.path() / "recorded").native()});
  REQUIRE(theirs);
  CHECK(theirs->sources[0].file == "theirs.json");
}

TEST_CASE("a broken record is left out of a folder with a line, and refused where it was named") {
  const Folder folder;
  folder.write("whole.json", made({{"mmap", kSome}}));
  const auto broken = folder.write("broken.json", "{\"schema\": \"waggle-record/2\"}");
  const auto future = folder.write("future.json", "{\"schema\": \"waggle-record/99\"}");
  const auto set = read_records({folder.path().native()});
  REQUIRE(set);
  CHECK(set->sources.size() == 1);
  REQUIRE(set->left_out.size() == 2);
  CHECK(set->left_out[0].starts_with("broken.json is not a whole record"));
  CHECK(set->left_out[1].find("waggle-record/99") != std::string::npos);
  const auto named = read_records({broken.native()});
  REQUIRE_FALSE(named);
  CHECK(named.error().fault == Fault::corrupt);
  CHECK(read_records({future.native()}).error().fault == Fault::corrupt);
  CHECK(read_records({(folder.path() / "none.json").native()}).error().fault == Fault::not_found);
  fs::remove(folder.path() / "whole.json");
  const auto none = read_records({folder.path().native()});
  CHECK(none.error().fault == Fault::usage);
  CHECK(none.error().hint.find("broken.json is not a whole record") != std::string::npos);
}

TEST_CASE("what cannot be read in a folder takes nothing else away, and is told without the folder") {
  const Folder folder;
  folder.write("whole.json", made({{"mmap", kSome}}));
  const auto text = record::json_text(record::to_json(made({{"splice", kSome}})));
  folder.write("deeper/half.json", text.substr(0, text.size() / 2));
  folder.write("report.json", R"({"schema": "waggle-report/1"})");
  folder.write("odd\xff\n.json", "{");
  fs::create_symlink("nowhere", folder.path() / ".#whole.json");
  fs::create_symlink(".", folder.path() / "loop");
  fs::create_directories(folder.path() / "folder.json");
  const auto set = read_records({folder.path().native()});
  REQUIRE(set);
  CHECK(set->sources.size() == 1);
  const std::string why = " is not a record: it is no JSON, or was cut off";
  CHECK(set->left_out == std::vector<std::string>{"half.json" + why, "odd\\xff\\u000a.json" + why});
}

TEST_CASE("names of files are text, and of two names of one record the same one is told") {
  const Folder folder;
  const auto record = made({{"mmap", kSome}});
  folder.write("a/z\xff\n.json", record);
  folder.write("b/y.json", record);
  const auto a = (folder.path() / "a").native();
  const auto b = (folder.path() / "b").native();
  CHECK(read_records({a})->sources.front().file == "z\\xff\\u000a.json");
  for (const auto& places : {std::vector{a, b}, std::vector{b, a}}) {
    const auto set = read_records(places);
    REQUIRE(set->sources.size() == 1);
    CHECK(set->sources.front().file == "y.json");
  }
}

TEST_CASE("a selection takes what was named, and says what there is when there is no such thing") {
  auto set = set_of(made({{"mmap", kSome}, {"splice", kSome}}));
  REQUIRE(select(set, {.datapaths = {"mmap"}, .workloads = {}, .links = {}}));
  CHECK(set.sources.front().record.contestants.size() == 1);
  const auto refused = select(set, {.datapaths = {}, .workloads = {}, .links = {"vhost"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().hint.find("veth") != std::string::npos);
}

}  // namespace
}  // namespace waggle::answers
