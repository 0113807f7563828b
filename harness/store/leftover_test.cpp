// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "harness/store/landing.hpp"
#include "harness/store/rooted_store.hpp"
#include "harness/store/testing/connection.hpp"

namespace waggle::store {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kSomebody = 65534;

struct Leftovers : TestConnection {
  /// The name that an upload of `name` goes under until it is whole.
  fs::path partial(std::string_view name) const {
    const auto digest = digest_of(DigestKind::xxh3_128, std::as_bytes(std::span(name)));
    return top / (".waggle-" + digest.hex(DigestKind::xxh3_128) + ".part");
  }
  void upload(std::string_view path, std::string_view content, bool resume) {
    const auto made = files->create(path, content.size(), 0644, resume).value();
    REQUIRE(::pwrite(files->descriptor(made.file).get(), content.data(), content.size(), 0) ==
            static_cast<ssize_t>(content.size()));
    CHECK(files->commit(made.file, false));
    files->close(made.file, false);
  }
  void keep(std::string_view path, std::string_view content) {
    const auto made = files->create(path, content.size(), 0644, true).value();
    REQUIRE(::pwrite(files->descriptor(made.file).get(), content.data(), content.size(), 0) ==
            static_cast<ssize_t>(content.size()));
    files->close(made.file, true);
  }
};

TEST_CASE_METHOD(Leftovers, "an upload never goes into a file that has another name as well") {
  const bool resume = GENERATE(false, true);
  TestDirectory outside;
  write_file(outside / "precious", "do not touch");
  fs::create_hard_link(outside / "precious", partial("a"));
  upload("a", "new content!", resume);
  CHECK(read_file(outside / "precious") == "do not touch");
  CHECK(read_file(top / "a") == "new content!");
  CHECK(fs::exists(partial("a")));
}

TEST_CASE_METHOD(Leftovers, "a snapshot by hard links is not changed by uploads that go on") {
  TestDirectory snapshot;
  keep("a", "first half..");
  fs::create_hard_link(partial("a"), snapshot / "kept");
  upload("a", "other content", true);
  CHECK(read_file(snapshot / "kept") == "first half..");
  CHECK(read_file(top / "a") == "other content");
}

TEST_CASE_METHOD(Leftovers, "an upload never ends as the file of another user") {
  if (::geteuid() != 0) {
    WARN("only root can give files away");
    return;
  }
  const bool resume = GENERATE(false, true);
  write_file(partial("a"), "xxxxxxxxxxxx");
  REQUIRE(::chown(partial("a").c_str(), kSomebody, kSomebody) == 0);
  upload("a", "new content!", resume);
  struct stat status{};
  REQUIRE(::stat((top / "a").c_str(), &status) == 0);
  CHECK(status.st_uid == ::geteuid());
  CHECK(read_file(partial("a")) == "xxxxxxxxxxxx");
  auto landing = Landing::open(top / "a", 3, 0644, resume).value();
  CHECK(landing.write(std::as_bytes(std::span(std::string_view("abc")))));
  CHECK(landing.commit(false));
  REQUIRE(::stat((top / "a").c_str(), &status) == 0);
  CHECK(status.st_uid == ::geteuid());
}

TEST_CASE_METHOD(Leftovers, "nobody who had an earlier partial file open can write into an upload") {
  write_file(partial("a"), "old");
  const UniqueFd before(::open(partial("a").c_str(), O_RDWR | O_CLOEXEC));
  upload("a", "new content!", false);
  REQUIRE(::pwrite(before.get(), "EVIL", 4, 0) == 4);
  CHECK(read_file(top / "a") == "new content!");
}

TEST_CASE_METHOD(Leftovers, "an upload that somebody put another file in place of is not called done") {
  if (::geteuid() != 0) {
    WARN("only root can give files away");
    return;
  }
  const auto made = files->create("a", 3, 0644, false).value();
  write_file(top / "theirs", "bad");
  REQUIRE(::chown((top / "theirs").c_str(), kSomebody, kSomebody) == 0);
  fs::rename(top / "theirs", partial("a"));
  REQUIRE(::ftruncate(files->descriptor(made.file).get(), 3) == 0);
  CHECK(files->commit(made.file, false).error().fault == Fault::denied);
}

TEST_CASE_METHOD(Leftovers, "what is unfinished can be read by its owner only") {
  const auto made = files->create("a", 3, 0666, false).value();
  struct stat status{};
  REQUIRE(::fstat(files->descriptor(made.file).get(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
}

TEST_CASE_METHOD(Leftovers, "kept uploads of every size are continued") {
  const std::size_t size = GENERATE(std::size_t{1}, kDigestBlock - 1, kDigestBlock, kDigestBlock + 1);
  const bool resume = GENERATE(false, true);
  const std::string content = random_text(size, 1);
  const auto made = files->create("a", size, 0640, resume).value();
  REQUIRE(::pwrite(files->descriptor(made.file).get(), content.data(), size / 2, 0) == static_cast<ssize_t>(size / 2));
  files->close(made.file, true);
  const auto again = files->create("a", size, 0640, true).value();
  std::string there(size / 2, '\0');
  REQUIRE(::pread(files->descriptor(again.file).get(), there.data(), there.size(), 0) ==
          static_cast<ssize_t>(there.size()));
  CHECK(there == content.substr(0, size / 2));
  CHECK(again.attributes.size == size);
}

TEST_CASE_METHOD(Leftovers, "the sweep takes only what an upload left") {
  TestDirectory snapshot;
  const std::string hex(32, 'a');
  write_file(top / ".waggle-notes.part", "a user's own");
  write_file(top / (".waggle-" + hex + "X.part"), "likewise");
  write_file(top / (".waggle-" + hex + ".part"), "ours");
  write_file(top / (".waggle-" + std::string(32, 'b') + ".part"), "has two names");
  fs::create_hard_link(top / (".waggle-" + std::string(32, 'b') + ".part"), snapshot / "b");
  write_file(top / (".waggle-" + std::string(32, 'c') + ".part"), "somebody else's");
  const bool root = ::geteuid() == 0;
  if (root) {
    REQUIRE(::chown((top / (".waggle-" + std::string(32, 'c') + ".part")).c_str(), kSomebody, kSomebody) == 0);
  }
  CHECK(store.sweep(std::chrono::seconds(0)).value() == (root ? 1U : 2U));
  CHECK_FALSE(fs::exists(top / (".waggle-" + hex + ".part")));
  CHECK(fs::exists(top / ".waggle-notes.part"));
  CHECK(fs::exists(top / (".waggle-" + hex + "X.part")));
  CHECK(fs::exists(top / (".waggle-" + std::string(32, 'b') + ".part")));
}

TEST_CASE_METHOD(Leftovers, "an upload that broke off with its final mode is swept, removed and written again") {
  if (::geteuid() == 0) {
    top.give_to(kSomebody);
  }
  const WithoutRights somebody(kSomebody);
  const auto mode = fs::perms(GENERATE(0444, 0222));
  SECTION("swept") {
    write_file(partial("a"), "half");
    fs::permissions(partial("a"), mode);
    CHECK(store.sweep(std::chrono::seconds(0)) == 1U);
  }
  SECTION("removed with its directory") {
    REQUIRE(files->make_directory("d", 0755));
    keep("d/a", "half");
    fs::permissions(top / "d" / partial("a").filename(), mode);
    CHECK(files->remove("d"));
  }
  SECTION("written again") {
    write_file(partial("a"), "half");
    fs::permissions(partial("a"), mode);
    upload("a", "whole", true);
    CHECK(read_file(top / "a") == "whole");
  }
  SECTION("not while somebody is about to give it its name") {
    const auto made = files->create("a", 4, 0644, false).value();
    fs::permissions(partial("a"), mode);
    CHECK(store.connect()->create("a", 4, 0644, true).error().fault == Fault::busy);
    CHECK(fs::status(partial("a")).permissions() == mode);
    files->close(made.file, false);
  }
  CHECK_FALSE(fs::exists(partial("a")));
}

TEST_CASE_METHOD(Leftovers, "a directory that holds nothing but a broken upload can be removed") {
  REQUIRE(files->make_directory("d", 0755));
  keep("d/a", "half");
  CHECK(files->remove("d"));
  CHECK_FALSE(fs::exists(top / "d"));
}

TEST_CASE_METHOD(Leftovers, "a directory that cannot be removed says what is in the way") {
  REQUIRE(files->make_directory("d", 0755));
  SECTION("an upload that goes on") {
    auto others = store.connect();
    const auto made = others->create("d/a", 4, 0644, false).value();
    const auto removed = files->remove("d");
    REQUIRE_FALSE(removed);
    CHECK(removed.error().fault == Fault::busy);
    CHECK(removed.error().what.find("upload") != std::string::npos);
    CHECK(::ftruncate(others->descriptor(made.file).get(), 4) == 0);
    CHECK(others->commit(made.file, false));
  }
  SECTION("a hidden file of somebody's own") {
    write_file(top / "d/.waggle-notes.part", "a user's own");
    const auto removed = files->remove("d");
    REQUIRE_FALSE(removed);
    CHECK(removed.error().fault == Fault::exists);
    CHECK(removed.error().what.find(".waggle-notes.part") != std::string::npos);
  }
  SECTION("a file that everybody sees: what is kept beside it stays") {
    write_file(top / "d/b", "b");
    keep("d/a", "half");
    CHECK(files->remove("d").error().fault == Fault::exists);
    CHECK(std::distance(fs::directory_iterator(top / "d"), fs::directory_iterator()) == 2);
  }
}

/// Tells whether a file was opened since; looking at it by O_PATH is not opening.
class Opens {
 public:
  explicit Opens(const fs::path& path) : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    REQUIRE(::inotify_add_watch(fd_.get(), path.c_str(), IN_OPEN) >= 0);
  }
  bool any() const {
    std::array<char, 4096> events;
    return ::read(fd_.get(), events.data(), events.size()) > 0;
  }

 private:
  UniqueFd fd_;
};

TEST_CASE_METHOD(Leftovers, "nothing but regular files and directories is ever opened") {
  REQUIRE(::mkfifo((top / "fifo").c_str(), 0666) == 0);
  REQUIRE(::mkfifo(partial("a").c_str(), 0666) == 0);
  const Opens fifo(top / "fifo");
  const Opens hidden(partial("a"));
  CHECK(files->open("fifo", false).error().fault == Fault::denied);
  CHECK(files->open("fifo", true).error().fault == Fault::denied);
  CHECK(files->truncate("fifo", 0).error().fault == Fault::denied);
  CHECK_FALSE(files->list("fifo", 0, 10));
  CHECK_FALSE(fifo.any());
  upload("a", "whole", false);
  upload("a", "whole", true);
  CHECK(store.sweep(std::chrono::seconds(0)) == 0U);
  CHECK_FALSE(hidden.any());
  write_file(top / "file", "x");
  const Opens regular(top / "file");
  CHECK(files->open("file", false));
  CHECK(regular.any());
}

}  // namespace
}  // namespace waggle::store
