// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/calibration.hpp"

#include <catch2/catch.hpp>

using waggle::measure::Calibration;
using waggle::measure::Disturbance;
using waggle::measure::noise;

TEST_CASE("calibration takes milliseconds of real work") {
  const Calibration once = waggle::measure::calibrate();
  CHECK(once.arithmetic_ns > 100'000);
  CHECK(once.memory_ns > 10'000);
  CHECK(once.spread >= 0);
}

TEST_CASE("a machine is noisy when the same work takes another time, and says why") {
  const Calibration quiet{.arithmetic_ns = 1'000'000, .memory_ns = 500'000, .spread = 0.02};
  CHECK(noise({.before = quiet, .after = quiet}).empty());
  Calibration slower = quiet;
  slower.arithmetic_ns = 1'200'000;
  REQUIRE(noise({.before = quiet, .after = slower}).size() == 1);
  CHECK(noise({.before = quiet, .after = slower}).front() ==
        "fixed arithmetic took 20 % longer after the experiment than before it");
  CHECK(noise({.before = slower, .after = quiet}).size() == 1);
  Calibration uneven = quiet;
  uneven.spread = 0.5;
  CHECK(noise({.before = uneven, .after = quiet}).size() == 1);
  CHECK(noise({.before = quiet, .after = quiet, .steal_share = 0.02}).front() ==
        "the hypervisor gave 2.0 % of the CPU time to others");
}

TEST_CASE("a quota, pressure and a changing frequency make a machine noisy") {
  const Calibration quiet{.arithmetic_ns = 1'000'000, .memory_ns = 500'000, .spread = 0.02};
  Disturbance seen{.before = quiet, .after = quiet};
  seen.throttled_s = 0.25;
  seen.cpu_pressure = 0.4;
  seen.others_cpus = 0.9;
  seen.memory_pressure = 0.02;
  seen.frequency_mhz = {{0, {2000, 3000}}, {1, {2950, 3000}}};
  CHECK(noise(seen) == std::vector<std::string>{
                           "the CPU quota of the cgroup stopped its processes for 0.25 s",
                           "others wanted the CPUs: 40 % of the time somebody waited for one before or after the runs",
                           "other programs had 90 % of a CPU during the runs",
                           "2.0 % of the time somebody waited for memory", "CPU 0 ran at 2000 to 3000 MHz"});
  seen = {.before = quiet, .after = quiet, .cpu_pressure = 0.05, .memory_pressure = 0.001};
  CHECK(noise(seen).empty());
}
