// SPDX-License-Identifier: BSD-2-Clause
#include "harness/store/beneath.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "harness/store/rooted_store.hpp"
#include "harness/store/testing/directory.hpp"

namespace waggle::store {
namespace {

namespace fs = std::filesystem;

/// A served directory `in` beside a secret that must never be reached.
struct Served {
  Served() {
    fs::create_directories(top / "in/sub");
    write_file(top / "secret", "secret");
    write_file(top / "in/file", "public");
    write_file(top / "in/sub/inner", "inner");
    auto opened = RootedStore::open(top / "in");
    REQUIRE(opened);
    files = opened->connect();
  }

  TestDirectory top;
  std::unique_ptr<protocol::FileService> files;
};

TEST_CASE("no path leads out of the served directory") {
  Served served;
  fs::create_symlink("../secret", served.top / "in/link");
  fs::create_symlink(served.top / "secret", served.top / "in/absolute");
  fs::create_symlink("..", served.top / "in/up");
  fs::create_symlink("/proc/self/fd", served.top / "in/magic");
  fs::create_symlink("/proc/self/root", served.top / "in/root");
  const std::string outside = (served.top / "secret").native();
  const std::string path = GENERATE_COPY(std::string("../secret"), std::string("sub/../../secret"), outside,
                                         std::string("/"), std::string("/file"), std::string("link"),
                                         std::string("absolute"), std::string("up/secret"), std::string("magic/0"),
                                         std::string("root/etc/passwd"), std::string(".."), std::string("sub/../.."));
  CAPTURE(path);
  auto& files = *served.files;
  CHECK(files.open(path, false).error().fault == Fault::denied);
  CHECK(files.open(path, true).error().fault == Fault::denied);
  CHECK(files.attributes(path).error().fault == Fault::denied);
  CHECK(files.change(path, {.set_mode = true, .mode = 0777}).error().fault == Fault::denied);
  CHECK(files.truncate(path, 0).error().fault == Fault::denied);
  CHECK(files.list(path, 0, 10).error().fault == Fault::denied);
  CHECK(read_file(served.top / "secret") == "secret");
}

TEST_CASE("nothing is created, removed or renamed outside") {
  Served served;
  fs::create_symlink("..", served.top / "in/up");
  auto& files = *served.files;
  for (const std::string path : {"../new", "up/new", "/new", "sub/../../new"}) {
    CAPTURE(path);
    CHECK(files.create(path, 1, 0644, false).error().fault == Fault::denied);
    CHECK(files.make_directory(path, 0755).error().fault == Fault::denied);
    CHECK(files.remove(path).error().fault == Fault::denied);
    CHECK(files.rename("file", path).error().fault == Fault::denied);
    CHECK(files.rename(path, "elsewhere").error().fault == Fault::denied);
  }
  CHECK_FALSE(fs::exists(served.top / "new"));
  CHECK(fs::exists(served.top / "in/file"));
}

TEST_CASE("changes need a plain last component") {
  Served served;
  for (const std::string path : {"", ".", "..", "sub/", "sub/.", "sub/..", "/", "//"}) {
    CAPTURE(path);
    CHECK_FALSE(served.files->make_directory(path, 0755));
    CHECK_FALSE(served.files->create(path, 0, 0644, false));
    CHECK_FALSE(served.files->remove(path));
    CHECK_FALSE(served.files->rename(path, "x"));
    CHECK_FALSE(served.files->rename("file", path));
  }
  CHECK_FALSE(served.files->remove(std::string_view("fi\0le", 5)));
  CHECK_FALSE(served.files->open(std::string_view("file\0x", 6), false));
  CHECK_FALSE(served.files->open(std::string(5000, 'a'), false));
}

TEST_CASE("links and dots that stay inside are followed") {
  Served served;
  fs::create_symlink("sub/inner", served.top / "in/alias");
  CHECK(served.files->open("alias", false));
  CHECK(served.files->open("sub/../file", false));
  CHECK(served.files->attributes("").value().type == protocol::FileType::directory);
  CHECK(served.files->attributes("alias").value().size == 5);
}

TEST_CASE("removing a link never touches what it points to") {
  Served served;
  fs::create_symlink("../secret", served.top / "in/link");
  CHECK(served.files->remove("link"));
  CHECK(fs::exists(served.top / "secret"));
  CHECK_FALSE(fs::exists(fs::symlink_status(served.top / "in/link")));
}

TEST_CASE("FIFOs, devices and sockets are not handed out, and do not block") {
  Served served;
  REQUIRE(::mkfifo((served.top / "in/fifo").c_str(), 0600) == 0);
  CHECK(served.files->open("fifo", false).error().fault == Fault::denied);
  CHECK(served.files->open("fifo", true).error().fault == Fault::denied);
  CHECK(served.files->truncate("fifo", 0).error().fault == Fault::denied);
  CHECK(served.files->change("fifo", {.set_mode = true, .mode = 0777}).error().fault == Fault::denied);
  CHECK(served.files->attributes("fifo").value().type == protocol::FileType::other);
}

TEST_CASE("a directory that is swapped for a link all the time never lets anybody out") {
  Served served;
  fs::create_directories(served.top / "outside");
  write_file(served.top / "outside/inner", "secret");
  fs::create_symlink("../outside", served.top / "in/other");
  const int in = ::open((served.top / "in").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const UniqueFd owned(in);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> swaps = 0;
  std::jthread swapper([&] {
    while (!stop) {
      ::renameat2(in, "sub", in, "other", RENAME_EXCHANGE);
      ++swaps;
    }
  });
  std::size_t inside = 0;
  std::size_t refused = 0;
  for (std::size_t round = 0; round < 200'000 && (round < 2'000 || inside < 50 || refused < 50); ++round) {
    const auto opened = served.files->open("sub/inner", false);
    if (opened) {
      ++inside;
      CHECK(opened->attributes.size == 5);  // "inner", not "secret"
      served.files->close(opened->file, false);
    } else {
      ++refused;
    }
    const auto created = served.files->create("sub/new", 0, 0644, false);
    if (created) {
      static_cast<void>(served.files->commit(created->file, false));
      served.files->close(created->file, false);
    }
  }
  stop = true;
  swapper.join();
  CAPTURE(inside, refused, swaps.load());
  CHECK_FALSE(fs::exists(served.top / "outside/new"));
  CHECK(inside > 0);
  CHECK(refused > 0);
}

}  // namespace
}  // namespace waggle::store
