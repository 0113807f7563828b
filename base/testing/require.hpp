// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdio>
#include <cstdlib>

#include "base/result.hpp"

/// For tests that a host may not be able to run.
namespace waggle::test {

/// Ends the test program with code 77 ("skipped", as meson understands it) and the reason, or, when
/// WAGGLE_REQUIRE_ALL=1 says that this host can do everything, with 1.
[[noreturn]] inline void cannot_run(const Error& why) {
  const char* required = std::getenv("WAGGLE_REQUIRE_ALL");
  const bool failed = required != nullptr && required[0] == '1';
  std::fprintf(stderr, "%s: %s\n", failed ? "failed" : "skipped", why.text().c_str());
  std::exit(failed ? 1 : 77);
}

}  // namespace waggle::test
