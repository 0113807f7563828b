// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace waggle::experiment {

TEST_CASE("a signal is noticed, stays noticed and kills nobody") {
  auto interrupt = Interrupt::watch();
  REQUIRE(interrupt);
  CHECK(interrupt->check());
  ::kill(::getpid(), SIGTERM);
  CHECK(interrupt->check().error().fault == Fault::cancelled);
  CHECK(interrupt->check().error().fault == Fault::cancelled);
}

}  // namespace waggle::experiment
