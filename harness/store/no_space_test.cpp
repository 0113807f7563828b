// SPDX-License-Identifier: BSD-2-Clause
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "harness/store/landing.hpp"
#include "harness/store/rooted_store.hpp"
#include "harness/store/testing/directory.hpp"

namespace waggle::store {
namespace {

constexpr int kSkipped = 77;

/// A file system of 4 MiB in a mount namespace of this process, so that the kernel removes it whatever happens.
bool mount_small(const std::filesystem::path& at) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("waggle", at.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=4m") == 0;
}

TEST_CASE("a full disk is an error by name and leaves nothing") {
  TestDirectory top;
  if (!mount_small(top.path())) {
    REQUIRE(std::getenv("WAGGLE_REQUIRE_ALL") == nullptr);
    std::puts("skipped: only root can mount a small file system");
    std::exit(kSkipped);
  }
  {
    auto files = RootedStore::open(top.path()).value().connect();
    const auto too_large = files->create("a", 5 * 1024 * 1024, 0644, false);
    REQUIRE_FALSE(too_large);
    CHECK(too_large.error().fault == Fault::no_space);
    CHECK_FALSE(too_large.error().hint.empty());

    // It fits when the upload starts, and no longer when its bytes come.
    auto landing = Landing::open(top / "a", 3 * 1024 * 1024, 0644, false).value();
    write_file(top / "other", std::string(2 * 1024 * 1024, 'x'));
    const std::string content = random_text(3 * 1024 * 1024, 1);
    const auto wrote = landing.write(std::as_bytes(std::span(content)));
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error().fault == Fault::no_space);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(top.path()), std::filesystem::directory_iterator()) == 1);
  CHECK(::umount2(top.path().c_str(), MNT_DETACH) == 0);
}

}  // namespace
}  // namespace waggle::store
