// SPDX-License-Identifier: BSD-2-Clause
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/answers/comparison.hpp"
#include "harness/answers/record_set.hpp"
#include "harness/answers/report_folder.hpp"
#include "harness/answers/sheet.hpp"
#include "harness/answers/sweep.hpp"
#include "harness/answers/testing/made.hpp"
#include "harness/record/json_text.hpp"

using namespace waggle;
using namespace waggle::answers;
using namespace waggle::answers::testing;

namespace {

namespace fs = std::filesystem;

/// A folder of its own for each case.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("answers-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  fs::path write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  fs::path write(const std::string& name, const record::Record& record) const {
    return write(name, record::json_text(record::to_json(record)));
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const std::vector<double> kTwelve{10, 11, 10.5, 10.2, 10.8, 10.1, 10.9, 10.3, 10.7, 10.4, 10.6, 10.5};

std::vector<double> times(double factor) {
  auto values = kTwelve;
  for (double& value : values) {
    value *= factor;
  }
  return values;
}

/// From now on the kernel refuses the calling thread what some file systems lack (man 2 seccomp): renameat2() that does
/// more than to rename.
void refuse_exchange() {
  std::array<sock_filter, 6> program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offsetof(seccomp_data, nr))),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(SYS_renameat2), 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offsetof(seccomp_data, args[4]))),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == 0);
  REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("records come in the order of their making, wherever they lie, and each once") {
  const Folder folder;
  const auto late = made({{"mmap", kTwelve}}, 9);
  const auto early = made({{"splice", kTwelve}}, 2);
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

TEST_CASE("a broken record is left out of a folder with a line, and refused where it was named") {
  const Folder folder;
  folder.write("whole.json", made({{"mmap", kTwelve}}));
  const auto broken = folder.write("broken.json", "{\"schema\": \"waggle-record/2\"}");
  const auto future = folder.write("future.json", "{\"schema\": \"waggle-record/99\"}");
  const auto set = read_records({folder.path().native()});
  REQUIRE(set);
  CHECK(set->sources.size() == 1);
  REQUIRE(set->left_out.size() == 2);
  CHECK(set->left_out[0].starts_with("broken.json is not a whole record"));
  CHECK(has(set->left_out[1], "waggle-record/99"));
  const auto named = read_records({broken.native()});
  REQUIRE_FALSE(named);
  CHECK(named.error().fault == Fault::corrupt);
  CHECK(read_records({future.native()}).error().fault == Fault::corrupt);
  CHECK(read_records({(folder.path() / "none.json").native()}).error().fault == Fault::not_found);
  fs::remove(folder.path() / "whole.json");
  const auto none = read_records({folder.path().native()});
  CHECK(none.error().fault == Fault::usage);
  CHECK(has(none.error().hint, "broken.json is not a whole record"));
}

TEST_CASE("what cannot be read in a folder takes nothing else away, and is told without the folder") {
  const Folder folder;
  folder.write("whole.json", made({{"mmap", kTwelve}}));
  const auto text = record::json_text(record::to_json(made({{"splice", kTwelve}})));
  folder.write("deeper/half.json", text.substr(0, text.size() / 2));
  folder.write("report.json", R"({"schema": "waggle-report/1"})");
  folder.write("odd\xff\n.json", "{");
  fs::create_symlink("nowhere", folder.path() / ".#whole.json");
  fs::create_symlink(".", folder.path() / "loop");
  fs::create_directories(folder.path() / "folder.json");
  const auto set = read_records({folder.path().native()});
  REQUIRE(set);
  CHECK(set->sources.size() == 1);
  CHECK(set->left_out == std::vector<std::string>{"half.json is not a record", "odd\\xff\\u000a.json is not a record"});
}

TEST_CASE("names of files are text, and of two names of one record the same one is told") {
  const Folder folder;
  const auto record = made({{"mmap", kTwelve}});
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
  auto set = set_of(made({{"mmap", kTwelve}, {"splice", kTwelve}}));
  REQUIRE(select(set, {.datapaths = {"mmap"}, .workloads = {}, .links = {}}));
  CHECK(set.sources.front().record.contestants.size() == 1);
  const auto refused = select(set, {.datapaths = {}, .workloads = {}, .links = {"vhost"}});
  REQUIRE_FALSE(refused);
  CHECK(has(refused.error().hint, "veth"));
}

TEST_CASE("two contestants differ when the interval of their ratio within rounds says so") {
  const auto set = set_of(made({{"mmap", kTwelve}, {"splice", times(1.3)}, {"sendfile", times(1.0)}}));
  const auto all = experiments(set);
  REQUIRE(all.size() == 1);
  CHECK(all.front().id == "r1/veth");
  const auto compared = compare(all.front(), "goodput");
  REQUIRE(compared.size() == 3);
  for (const auto& one : compared) {
    const bool splice = one.a == "splice";
    CHECK(one.differs == splice);
    CHECK(one.ratio.median == Approx(splice ? 1.3 : 1.0));
    CHECK(one.ratio.runs == 12);
    CHECK(has(one.sentence, splice ? "splice moves 1.30 times (1.30–1.30) what" : "no difference is shown"));
  }
  CHECK(is_alone_best(all.front(), compared, "splice"));
  CHECK_FALSE(is_alone_best(all.front(), compared, "mmap"));
}

TEST_CASE("rounds that only one of two has are in no ratio, and few rounds make no difference") {
  const auto set = set_of(made({{"mmap", {10, 10}}, {"splice", {20, 20, 500}}}));
  const auto all = experiments(set);
  const auto compared = compare(all.front(), "goodput");
  REQUIRE(compared.size() == 1);
  CHECK(compared.front().ratio.runs == 2);
  CHECK(compared.front().ratio.median == Approx(2));
  CHECK_FALSE(compared.front().differs);
  CHECK(has(compared.front().sentence, "too few rounds"));
  const auto tenfold = set_of(made({{"mmap", {10, 11, 10}}, {"splice", {100, 110, 100}}}));
  const auto few = experiments(tenfold);
  CHECK(compare(few.front(), "goodput").front().sentence ==
        "splice and mmap: too few rounds to tell, 10.0 times (10.0–10.0, 75 %).");
}

TEST_CASE("a table is bold where a difference is one, and says what stands around it") {
  const auto set = set_of(made({{"mmap", kTwelve}, {"splice_x", times(1.3)}}));
  const auto all = experiments(set);
  const auto sheet = sheet_of(all.front());
  REQUIRE(sheet.rows.size() == 2);
  CHECK(sheet.rows[0][0].text == "splice_x");
  CHECK(sheet.rows[0][1].bold);
  CHECK_FALSE(sheet.rows[1][1].bold);
  CHECK(has(sheet.caption, "n = 12 each"));
  const auto text = markdown(sheet);
  CHECK(has(text, "goodput \\[Gbit/s\\]"));
  CHECK(has(text, "| splice\\_x | **13.7 (13.3 – 14.0)** |"));
  const auto tex = latex(sheet);
  CHECK(has(tex, "\\toprule"));
  CHECK(has(tex, "splice\\_x & \\textbf{13.7 (13.3 -- 14.0)}"));
  CHECK(has(tex, "\\giga\\bit\\per\\second"));
  const auto equals = set_of(made({{"mmap", kTwelve}, {"splice", kTwelve}}));
  CHECK_FALSE(has(markdown(sheet_of(experiments(equals).front())), "**1"));
}

TEST_CASE("what records call things is text in every table, and in no name of a file") {
  auto record = made({{"[x] --y <b>&amp;|*", kTwelve}});
  const std::string link = "../ve}th%\\<i>";
  record.environment.links[link] = record.environment.links.at("veth");
  record.contestants.front().link = link;
  const auto set = set_of(record);
  const auto all = experiments(set);
  REQUIRE(all.size() == 1);
  const auto sheet = sheet_of(all.front());
  CHECK(sheet.id == "r1-..-ve-th----i-");
  const auto text = markdown(sheet);
  CHECK(has(text, "| \\[x\\] --y \\<b\\>\\&amp;\\|\\* |"));
  CHECK_FALSE(has(text, "<i>"));
  const auto tex = latex(sheet);
  CHECK(has(tex, "\\label{tab:r1-..-ve-th----i-}"));
  CHECK(has(tex, " {[}x] -{-}y \\textless{}b\\textgreater{}\\&amp;\\textbar{}{*} & "));
  CHECK(for_markdown("a\nb") == "a b");
}

TEST_CASE("CSV has every figure with all digits, and no text that a spreadsheet would compute") {
  const auto set = set_of(made({{"=cmd,\"x\"", {10, 11, 12}}}));
  const auto all = experiments(set);
  const auto figures = figures_csv(all);
  CHECK(has(figures, "\"'=cmd,\"\"x\"\"\",goodput,,,,11000000000,10000000000,12000000000,"));
  const auto runs = runs_csv(all);
  CHECK(std::ranges::count(runs, '\n') == 4);
  CHECK(has(runs, ",timed,ok,yes,"));
}

TEST_CASE("experiments of a suite that differ in one setting are a sweep, newest first") {
  RecordSet set;
  int day = 1;
  for (const auto& [size, factor] :
       {std::pair("64KiB", 1.0), std::pair("1MiB", 2.0), std::pair("1MiB", 3.0), std::pair("64MiB", 4.0)}) {
    set.sources.push_back(
        {.id = "r" + std::to_string(day), .file = {}, .record = at_size(size, {{"mmap", times(factor)}}, day)});
    ++day;
  }
  const auto all = experiments(set);
  const auto swept = sweeps(all);
  REQUIRE(swept.size() == 1);
  const auto& sweep = swept.front();
  CHECK(sweep.id == "bulk/size/veth");
  CHECK(sweep.x == "size");
  CHECK(sweep.unit == "B");
  CHECK(sweep.log);
  REQUIRE(sweep.points.size() == 3);
  CHECK(sweep.points[0].x == 65536);
  CHECK(sweep.points[1].experiment->id == "r3/veth");
  CHECK(sweep.warnings.empty());
  set.sources[0].record.git.revision = "another";
  const auto mixed = experiments(set);
  CHECK(sweeps(mixed).front().warnings.size() == 1);
  set.sources[3].record.spec.sink = "tmpfs";
  set.sources[3].record.spec.seed = 7;
  const auto unlike = sweeps(experiments(set)).front().warnings;
  REQUIRE(unlike.size() == 2);
  CHECK(unlike[1] == "Its points were measured with another sink as well.");
}

TEST_CASE("the unit of a sweep is that of any of its points, and no word is a number") {
  RecordSet set;
  for (const char* size : {"4KiB", "1KiB", "0"}) {
    const auto number = std::to_string(set.sources.size() + 1);
    set.sources.push_back({.id = "r" + number, .file = {}, .record = at_size(size, {{"mmap", kTwelve}})});
  }
  const auto all = experiments(set);
  REQUIRE(sweeps(all).size() == 1);
  CHECK(sweeps(all).front().unit == "B");
  CHECK_FALSE(sweeps(all).front().log);
  CHECK_FALSE(quantity_of("nan"));
  CHECK_FALSE(quantity_of("inf"));
}

TEST_CASE("settings are numbers with units, or words") {
  CHECK(quantity_of("64KiB")->value == 65536);
  CHECK(quantity_of("64KiB")->unit == "B");
  CHECK(quantity_of("16")->unit.empty());
  CHECK(quantity_of("0.5%")->value == 0.5);
  CHECK(quantity_of("0.5%")->unit == "%");
  CHECK(quantity_of("200ms")->unit == "s");
  CHECK_FALSE(quantity_of("cold"));
  CHECK_FALSE(quantity_of(""));
}

TEST_CASE("what was put into an earlier report meanwhile is not taken away") {
  const Folder folder;
  folder.write("report/report.json", "1");
  auto made = ReportFolder::make(folder.path() / "report");
  REQUIRE(made);
  REQUIRE(made->write("report.json", "2"));
  folder.write("report/notes.txt", "mine");
  CHECK_FALSE(made->publish());
  CHECK(fs::exists(folder.path() / "report/notes.txt"));
}

TEST_CASE("an earlier report is replaced where names cannot be exchanged, too") {
  const Folder folder;
  folder.write("report/report.json", "1");
  std::thread([&] {
    refuse_exchange();
    auto made = ReportFolder::make(folder.path() / "report");
    REQUIRE(made);
    REQUIRE(made->write("report.json", "2"));
    REQUIRE(made->publish());
  }).join();
  std::ifstream file(folder.path() / "report/report.json");
  CHECK(std::string{std::istreambuf_iterator<char>(file), {}} == "2");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a report takes its place whole, over an earlier one alone") {
  const Folder folder;
  const auto place = folder.path() / "report";
  {
    auto made = ReportFolder::make(place);
    REQUIRE(made);
    REQUIRE(made->write("report.json", "1"));
    CHECK_FALSE(fs::exists(place));
    REQUIRE(made->publish());
  }
  CHECK(fs::exists(place / "report.json"));
  {
    auto again = ReportFolder::make(place);
    REQUIRE(again);
    REQUIRE(again->write("report.json", "2"));
    REQUIRE(again->write("tables/x.tex", "x"));
    REQUIRE(again->publish());
  }
  CHECK(fs::exists(place / "tables/x.tex"));
  {
    auto given_up = ReportFolder::make(place);
    REQUIRE(given_up);
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  // Records beside a report.json are somebody's own.
  folder.write("mixed/report.json", "1");
  folder.write("mixed/bulk.json", "{}");
  CHECK(has(ReportFolder::make(folder.path() / "mixed").error().what, "something else than a report (bulk.json)"));
  CHECK(fs::exists(folder.path() / "mixed/bulk.json"));
  fs::remove_all(folder.path() / "mixed");
  folder.write("own/letter.txt", "dear");
  CHECK(ReportFolder::make(folder.path() / "own").error().fault == Fault::usage);
  CHECK(ReportFolder::make(folder.path() / "own/letter.txt").error().fault == Fault::usage);
  CHECK(std::distance(fs::directory_iterator(folder.path() / "own"), {}) == 1);
}
