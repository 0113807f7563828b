// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/copies.hpp"

#include <catch2/catch.hpp>

#include "harness/measure/references.hpp"

using namespace waggle;
using namespace waggle::measure;

namespace {

CallCount moved(std::string call, std::string from, std::string to, std::uint64_t bytes = 1000) {
  return {
      .call = std::move(call), .from = std::move(from), .to = std::move(to), .calls = 1, .errors = 0, .bytes = bytes};
}

}  // namespace

TEST_CASE("each kind of call copies what its descriptors imply") {
  CHECK(copies_per_byte(moved("read", "file", "memory")) == 1);
  CHECK(copies_per_byte(moved("read", "direct", "memory")) == 0);
  CHECK(copies_per_byte(moved("read", "pipe", "memory")) == 1);
  CHECK(copies_per_byte(moved("recvfrom", "socket", "memory")) == 0);
  CHECK(copies_per_byte(moved("write", "memory", "file")) == 1);
  CHECK(copies_per_byte(moved("write", "memory", "direct")) == 0);
  CHECK(copies_per_byte(moved("write", "memory", "other")) == 0);
  CHECK(copies_per_byte(moved("sendto", "memory", "socket")) == 1);
  CHECK(copies_per_byte(moved("sendto+zerocopy", "memory", "socket")) == 0);
  CHECK(copies_per_byte(moved("sendfile", "file", "socket")) == 0);
  CHECK(copies_per_byte(moved("sendfile", "file", "file")) == 1);
  CHECK(copies_per_byte(moved("copy_file_range", "file", "file")) == 1);
  CHECK(copies_per_byte(moved("splice", "file", "pipe")) == 0);
  CHECK(copies_per_byte(moved("splice", "pipe", "socket")) == 0);
  CHECK(copies_per_byte(moved("splice", "socket", "pipe")) == 0);
  CHECK(copies_per_byte(moved("splice", "pipe", "file")) == 1);
  CHECK(copies_per_byte(moved("splice", "pipe", "direct")) == 0);
  CHECK(copies_per_byte(moved("tee", "pipe", "pipe")) == 0);
  CHECK(copies_per_byte(moved("vmsplice", "memory", "pipe")) == 0);
  CHECK(copies_per_byte(moved("io_uring:read_fixed", "file", "memory")) == 1);
  CHECK(copies_per_byte(moved("io_uring:send", "memory", "socket")) == 1);
  CHECK(copies_per_byte(moved("io_uring:send_zc", "memory", "socket")) == 0);
  CHECK(copies_per_byte(moved("io_uring:splice", "", "file")) == 1);
  CHECK(copies_per_byte(moved("futex", "", "")) == 0);
}

TEST_CASE("a kernel that copies a file into a socket is charged for it") {
  const References none{.sendfile = false, .splice = false};
  CHECK(copies_per_byte(moved("sendfile", "file", "socket"), none) == 1);
  CHECK(copies_per_byte(moved("splice", "pipe", "socket"), none) == 1);
  CHECK(copies_per_byte(moved("splice", "file", "pipe"), none) == 0);
  CHECK(derive_copies({moved("sendfile", "file", "socket", 5000)}, Side::sender, 0, none).total == 5000);
}

TEST_CASE("this kernel passes a file's pages into a TCP socket by reference") {
  const auto tried = try_references();
  if (!tried) {
    WARN("not tried: " << tried.error().text());
    return;
  }
  CHECK(tried->sendfile);
  CHECK(tried->splice);
}

TEST_CASE("copies add up over calls and the socket's own copies") {
  const std::vector<CallCount> calls{moved("read", "file", "memory", 100), moved("sendto", "memory", "socket", 30),
                                     moved("sendfile", "file", "socket", 5000)};
  CHECK(derive_copies(calls, Side::sender, 7).total == 137);
  CHECK(derive_copies(calls, Side::sender, 7).verification == 0);
}

TEST_CASE("a receiver that reads its file verifies; a sender that does, sends") {
  const std::vector<CallCount> calls{moved("splice", "pipe", "file", 100), moved("pread64", "file", "memory", 100)};
  const KernelCopies receiver = derive_copies(calls, Side::receiver, 0);
  CHECK(receiver.total == 200);
  CHECK(receiver.verification == 100);
}
