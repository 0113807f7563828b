// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/software_events.hpp"

#include <sys/mman.h>

#include <catch2/catch.hpp>

#include "base/testing/require.hpp"
#include "harness/measure/testing/subject.hpp"

using namespace waggle;
using namespace waggle::measure;

TEST_CASE("software events count what another process does from now on") {
  constexpr std::size_t kPages = 64;
  Subject subject([] {
    void* memory = ::mmap(nullptr, kPages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(memory, kPages * 4096, MADV_NOHUGEPAGE);
    for (std::size_t page = 0; page < kPages; ++page) {
      static_cast<volatile char*>(memory)[page * 4096] = 1;
    }
    return true;
  });
  const auto events = SoftwareEvents::start(subject.pid());
  if (!events) {
    test::cannot_run(events.error());
  }
  const auto before = events->read();
  REQUIRE(subject.go());
  REQUIRE(subject.done());
  const auto after = events->read();
  REQUIRE(before);
  REQUIRE(after);
  CHECK(after->page_faults - before->page_faults >= kPages);
  CHECK(after->task_clock_ns > before->task_clock_ns);
}

TEST_CASE("software events of a process that does not exist are an error") {
  CHECK_FALSE(SoftwareEvents::start(0x3FFFFFFF));
}
