// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/space.hpp"

#include <catch2/catch.hpp>

#include "base/testing/must.hpp"
#include "harness/experiment/spec_check.hpp"

namespace waggle::experiment {
namespace {

using test::must;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40U;

SpaceNeeded needed(Spec spec) {
  must(settle(spec, said(spec)));
  return must(space_needed(spec));
}

Spec of(const std::string& workload, std::uint64_t size, Sink sink) {
  return {.workload = workload, .parameters = {.clients = 3, .own = {{"size", size}}}, .sink = sink};
}

}  // namespace

TEST_CASE("what is sent is made once, what is received is kept by every client") {
  for (const auto* workload : {"download", "upload"}) {
    CHECK(needed(of(workload, kMiB, Sink::file)).disk == 4 * kMiB);
    CHECK(needed(of(workload, kMiB, Sink::tmpfs)).disk == kMiB);
    CHECK(needed(of(workload, kMiB, Sink::tmpfs)).memory == 3 * kMiB);
  }
  CHECK(needed(of("download", kMiB, Sink::discard)).memory == 0);
  CHECK(needed(of("download", UINT64_MAX / 2, Sink::tmpfs)).memory == UINT64_MAX);
  CHECK(needed(of("rand-read", kMiB, Sink::tmpfs)).disk == kMiB);
  CHECK(needed({.workload = "rr"}).disk == 0);
  CHECK(needed({.workload = "small-files"}).disk > 10'000 * 8192);
  CHECK(needed({.file = "/proc/self/exe"}).disk == 0);
}

TEST_CASE("what a machine has no room for is refused with both figures") {
  Spec spec{.work = "/proc"};  // which does not say what is free
  CHECK(check_space(spec));
  spec.parameters.own["size"] = 64 * kTiB;
  const auto memory = check_space(spec);
  REQUIRE_FALSE(memory);
  CHECK(memory.error().fault == Fault::missing);
  CHECK_THAT(memory.error().what,
             Catch::Matchers::StartsWith("the files that are received into a tmpfs need 64 TiB, and"));
  spec.work = "/tmp";
  const auto disk = check_space(spec);
  REQUIRE_FALSE(disk);
  CHECK(disk.error().fault == Fault::missing);
  CHECK_THAT(disk.error().what, Catch::Matchers::StartsWith("the files of this experiment in /tmp need 64 TiB, and"));
}

}  // namespace waggle::experiment
