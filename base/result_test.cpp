// SPDX-License-Identifier: BSD-2-Clause
#include "base/result.hpp"

#include <catch2/catch.hpp>

namespace waggle {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) {
    return fail(Fault::usage, "odd", "give an even number");
  }
  return value / 2;
}

Result<int> quarter(int value) {
  WAGGLE_LET(once, half(value));
  WAGGLE_LET(twice, half(once));
  return twice;
}

Result<> check(int value) {
  WAGGLE_TRY(quarter(value));
  return {};
}

TEST_CASE("the macros pass values on and return errors") {
  CHECK(quarter(8) == 2);
  CHECK(quarter(6).error().what == "odd");
  CHECK(check(8).has_value());
  CHECK(check(3).error().hint == "give an even number");
}

TEST_CASE("errno decides the fault") {
  CHECK(fail_errno("x", ENOENT).error().fault == Fault::not_found);
  CHECK(fail_errno("x", EISDIR).error().fault == Fault::usage);
  CHECK(fail_errno("x", ENAMETOOLONG).error().fault == Fault::usage);
  CHECK(fail_errno("x", EROFS).error().fault == Fault::denied);
  CHECK(fail_errno("x", EFBIG).error().fault == Fault::no_space);
  CHECK(fail_errno("x", EXDEV).error().fault == Fault::denied);
  CHECK(fail_errno("x", ENOSPC).error().fault == Fault::no_space);
  CHECK(fail_errno("x", EADDRINUSE).error().fault == Fault::busy);
  CHECK(fail_errno("x", ECONNRESET).error().fault == Fault::peer_gone);
  CHECK(fail_errno("x", EIO).error().fault == Fault::io);
  CHECK(fail_errno("cannot open /a", ENOENT).error().what == "cannot open /a: No such file or directory");
  CHECK(fail_errno("x", ENOENT).error().system == ENOENT);
}

TEST_CASE("exit codes tell wrong use, a missing facility and an interruption from failure") {
  CHECK(exit_code({.fault = Fault::usage}) == 2);
  CHECK(exit_code({.fault = Fault::missing}) == 3);
  CHECK(exit_code({.fault = Fault::cancelled}) == 130);
  CHECK(exit_code({.fault = Fault::corrupt}) == 1);
}

TEST_CASE("an error is one line") {
  CHECK(Error{.what = "no room", .hint = "free some"}.text() == "no room; free some");
  CHECK(Error{.what = "no room"}.text() == "no room");
}

}  // namespace
}  // namespace waggle
