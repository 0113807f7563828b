// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/calibration.hpp"

#include <catch2/catch.hpp>

using waggle::measure::Calibration;
using waggle::measure::noise;

TEST_CASE("calibration takes milliseconds of real work") {
  const Calibration once = waggle::measure::calibrate();
  CHECK(once.arithmetic_ns > 100'000);
  CHECK(once.memory_ns > 10'000);
  CHECK(once.spread >= 0);
}

TEST_CASE("a machine is noisy when the same work takes another time, and says why") {
  const Calibration quiet{.arithmetic_ns = 1'000'000, .memory_ns = 500'000, .spread = 0.02};
  CHECK(noise(quiet, quiet, 0).empty());
  Calibration slower = quiet;
  slower.arithmetic_ns = 1'200'000;
  REQUIRE(noise(quiet, slower, 0).size() == 1);
  CHECK(noise(quiet, slower, 0).front() == "fixed arithmetic took 20 % longer after the experiment than before it");
  CHECK(noise(slower, quiet, 0).size() == 1);
  Calibration uneven = quiet;
  uneven.spread = 0.5;
  CHECK(noise(uneven, quiet, 0).size() == 1);
  CHECK(noise(quiet, quiet, 0.02).front() == "the hypervisor gave 2.0 % of the CPU time to others");
}
