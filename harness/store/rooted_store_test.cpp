// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/rooted_store.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>

#include "harness/store/testing/connection.hpp"

namespace waggle::store {
namespace {

namespace fs = std::filesystem;
using protocol::AttributeChange;
using protocol::FileType;

TEST_CASE("a directory that is not there cannot be served") {
  TestDirectory top;
  CHECK(RootedStore::open(top / "none").error().fault == Fault::not_found);
  write_file(top / "file", "x");
  CHECK(RootedStore::open(top / "file").error().fault == Fault::not_found);
}

TEST_CASE_METHOD(TestConnection, "attributes are the file's, and the version follows its content") {
  write_file(top / "a", "hello");
  fs::permissions(top / "a", fs::perms(0640));
  make_old(top / "a");
  const auto opened = files->open("a", false).value();
  const auto before = files->attributes("a").value();
  CHECK(opened.attributes == before);
  CHECK(before.type == FileType::regular);
  CHECK(before.size == 5);
  CHECK(before.mode == 0640);
  CHECK(before.uid == ::getuid());
  write_file(top / "a", "world");
  const auto after = files->attributes(opened.file).value();
  CHECK(after.size == 5);
  CHECK(after.version != before.version);
}

TEST_CASE_METHOD(TestConnection, "missing files are told from refused ones") {
  CHECK(files->open("none", false).error().fault == Fault::not_found);
  CHECK(files->open("none/x", false).error().fault == Fault::not_found);
  CHECK(files->attributes("none").error().fault == Fault::not_found);
  CHECK(files->open("none", false).error().what.find("'none'") != std::string::npos);
  CHECK(files->open("none", false).error().what.find(top.path().native()) == std::string::npos);
}

TEST_CASE_METHOD(TestConnection, "when descriptors run out, that is what is said") {
  write_file(top / "a", "x");
  const FewDescriptors none(0);
  for (const char* const path : {"", "a"}) {
    const auto looked = files->attributes(path);
    REQUIRE_FALSE(looked);
    CHECK(looked.error().fault == Fault::busy);
    CHECK(looked.error().what.find("no more descriptors") != std::string::npos);
  }
  CHECK(files->open("a", false).error().what.find("no more descriptors") != std::string::npos);
  CHECK(files->list("", 0, 10).error().what.find("no more descriptors") != std::string::npos);
}

TEST_CASE_METHOD(TestConnection, "attributes change as asked and nothing else does") {
  write_file(top / "a", "x");
  const auto before = files->attributes("a").value();
  auto after = files->change("a", {.set_mode = true, .mode = 0600}).value();
  CHECK(after.mode == 0600);
  CHECK(after.modified_ns == before.modified_ns);
  after = files->change("a", {.set_times = true, .modified_ns = 1'500'000'000, .accessed_ns = -500'000'000}).value();
  CHECK(after.modified_ns == 1'500'000'000);
  CHECK(after.accessed_ns == -500'000'000);
  CHECK(after.mode == 0600);
  CHECK(files->change("a", {.set_mode = true, .mode = 04755}).error().fault == Fault::denied);
  CHECK(files->change("a", {.set_owner = true, .uid = ::getuid(), .gid = ::getgid()}));
}

TEST_CASE_METHOD(TestConnection, "directories are made with the client's mode, removed when empty, renamed") {
  const mode_t before = ::umask(077);
  CHECK(files->make_directory("d", 0755));
  ::umask(before);
  CHECK(files->attributes("d").value().mode == 0755);
  CHECK(files->make_directory("d", 0755).error().fault == Fault::exists);
  CHECK(files->make_directory("none/d", 0755).error().fault == Fault::not_found);
  write_file(top / "d/a", "x");
  CHECK(files->remove("d").error().fault == Fault::exists);
  CHECK(files->rename("d/a", "b"));
  CHECK(files->remove("d"));
  CHECK(files->remove("d").error().fault == Fault::not_found);
  CHECK(read_file(top / "b") == "x");
}

TEST_CASE_METHOD(TestConnection, "a directory gets its mode even from who may not read it then") {
  constexpr uid_t kSomebody = 65534;
  if (::geteuid() == 0) {
    top.give_to(kSomebody);
  }
  const WithoutRights somebody(kSomebody);
  const mode_t before = ::umask(022);
  for (const std::uint32_t mode : {0333U, 0311U, 0022U, 0777U, 01777U}) {
    const std::string name = "d" + std::to_string(mode);
    CHECK(files->make_directory(name, mode));
    CHECK(files->attributes(name).value().mode == mode);
  }
  ::umask(before);
}

TEST_CASE_METHOD(TestConnection, "attributes change together or not at all") {
  write_file(top / "a", "x");
  const auto before = files->attributes("a").value();
  const AttributeChange change{.set_mode = true, .mode = 02755, .set_times = true, .modified_ns = 1};
  CHECK(files->change("a", change).error().fault == Fault::denied);
  CHECK(files->attributes("a").value() == before);
}

TEST_CASE_METHOD(TestConnection, "what a name cannot be says so with one fault") {
  const std::string name(256, 'n');
  write_file(top / "a", "x");
  CHECK(files->open(name, false).error().fault == Fault::usage);
  CHECK(files->attributes(name + "/x").error().fault == Fault::usage);
  CHECK(files->create(name, 1, 0644, false).error().fault == Fault::usage);
  CHECK(files->make_directory(name, 0755).error().fault == Fault::usage);
  CHECK(files->remove(name).error().fault == Fault::usage);
  CHECK(files->rename("a", name).error().fault == Fault::usage);
  CHECK(files->list(name, 0, 10).error().fault == Fault::usage);
  CHECK(files->attributes(std::string(4096, '/')).error().fault == Fault::usage);
}

TEST_CASE_METHOD(TestConnection, "directories and files are not taken for each other") {
  fs::create_directory(top / "d");
  write_file(top / "a", "x");
  CHECK(files->open("d", true).error().fault == Fault::usage);
  CHECK(files->truncate("d", 0).error().fault == Fault::usage);
  CHECK(files->list("a", 0, 10).error().fault == Fault::usage);
  CHECK(files->list("a/b", 0, 10).error().fault == Fault::not_found);
  CHECK(files->rename("a", "d").error().fault == Fault::exists);
  CHECK(files->rename("d", "a").error().fault == Fault::exists);
  CHECK(files->rename("d", "d/below").error().fault == Fault::usage);
  CHECK(files->list("d", UINT64_MAX, 10).error().fault == Fault::usage);
  CHECK(files->create("d", kDigestBlock + 1, 0644, false).error().fault == Fault::exists);
  CHECK(files->create("d", 0, 0644, false).error().fault == Fault::exists);
  const auto late = files->create("late", 0, 0644, false).value().file;
  fs::create_directory(top / "late");
  CHECK(files->commit(late, false).error().fault == Fault::exists);
}

TEST_CASE_METHOD(TestConnection, "nothing takes the place of what is neither file nor directory") {
  write_file(top / "a", "x");
  REQUIRE(::mkfifo((top / "fifo").c_str(), 0600) == 0);
  CHECK(files->create("fifo", 0, 0644, false).error().fault == Fault::exists);
  CHECK(files->create("fifo", kDigestBlock + 1, 0644, false).error().fault == Fault::exists);
  CHECK(files->rename("a", "fifo").error().fault == Fault::exists);
  const auto late = files->create("late", 0, 0644, false).value().file;
  REQUIRE(::mkfifo((top / "late").c_str(), 0600) == 0);
  CHECK(files->commit(late, false).error().fault == Fault::exists);
  CHECK((fs::is_fifo(top / "fifo") && fs::is_fifo(top / "late")));
}

TEST_CASE_METHOD(TestConnection, "truncation shortens and lengthens") {
  write_file(top / "a", "hello");
  CHECK(files->truncate("a", 2));
  CHECK(read_file(top / "a") == "he");
  CHECK(files->truncate("a", 4));
  CHECK(read_file(top / "a") == std::string("he\0\0", 4));
  CHECK(files->truncate("none", 0).error().fault == Fault::not_found);
}

TEST_CASE_METHOD(TestConnection, "a listing comes in pages and is complete") {
  std::set<std::string> expected;
  for (int i = 0; i < 1'000; ++i) {
    const std::string name = "file" + std::to_string(i);
    write_file(top / name, "x");
    expected.insert(name);
  }
  fs::create_directory(top / "dir");
  fs::create_symlink("file1", top / "link");
  write_file(top / ".waggle-0123.part", "hidden");
  expected.insert({"dir", "link"});
  const std::size_t most = GENERATE(1U, 7U, 100U, 5'000U);
  std::set<std::string> seen;
  std::uint64_t cookie = 0;
  do {
    const auto page = files->list("", cookie, most).value();
    CHECK(page.entries.size() <= most);
    for (const auto& entry : page.entries) {
      CHECK(seen.insert(entry.name).second);
      CHECK((entry.name == "dir") == (entry.attributes.type == FileType::directory));
      CHECK((entry.name == "link") == (entry.attributes.type == FileType::symlink));
    }
    cookie = page.next_cookie;
  } while (cookie != 0);
  CHECK(seen == expected);
}

TEST_CASE_METHOD(TestConnection, "closed files are gone, their numbers are used again, others stay") {
  write_file(top / "a", "a");
  write_file(top / "b", "b");
  const auto a = files->open("a", false).value().file;
  const auto b = files->open("b", false).value().file;
  CHECK(a != b);
  files->close(a, false);
  CHECK(!files->descriptor(a));
  CHECK_FALSE(files->attributes(a));
  CHECK(files->attributes(b));
  const auto c = files->open("a", false).value().file;
  CHECK(files->descriptor(c));
  CHECK(files->descriptor(c).get() != files->descriptor(b).get());
  CHECK_FALSE(files->attributes(protocol::FileId{0}));
  CHECK_FALSE(files->attributes(protocol::FileId{999}));
}

TEST_CASE_METHOD(TestConnection, "the sweep takes few descriptors, however deep the directories are") {
  const std::string name = ".waggle-" + std::string(32, '1') + ".part";
  fs::path at = top.path();
  for (int depth = 0; depth < 300; ++depth, at /= "b") {
    for (const char* const directory : {"a", "b", "c"}) {
      fs::create_directory(at / directory);
      write_file(at / directory / name, "left");
    }
  }
  const FewDescriptors few(100);
  CHECK(store.sweep(std::chrono::seconds(0)) == 900U);
}

TEST_CASE_METHOD(TestConnection, "stale partial uploads are swept, locked and young ones are not") {
  fs::create_directories(top / "sub/deep");
  const std::string old = "sub/deep/.waggle-" + std::string(32, '1') + ".part";
  const std::string young = ".waggle-" + std::string(32, '2') + ".part";
  write_file(top / old, "old");
  make_old(top / old);
  write_file(top / young, "young");
  write_file(top / "sub/user.part", "not ours");
  make_old(top / "sub/user.part");
  const auto upload = files->create("sub/busy", 3, 0644, false).value();
  for (const auto& entry : fs::directory_iterator(top / "sub")) {
    if (entry.path().filename().native().starts_with(".waggle-")) {
      make_old(entry.path());
    }
  }
  CHECK(store.sweep(std::chrono::minutes(30)) == 1U);
  CHECK_FALSE(fs::exists(top / old));
  CHECK(fs::exists(top / young));
  CHECK(fs::exists(top / "sub/user.part"));
  CHECK(::ftruncate(files->descriptor(upload.file).get(), 3) == 0);
  CHECK(files->commit(upload.file, false));
  CHECK(store.sweep(std::chrono::seconds(0)) == 1U);
}

}  // namespace
}  // namespace waggle::store
