// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/testing/require.hpp"
#include "harness/measure/probe.hpp"
#include "harness/measure/testing/subject.hpp"

using namespace waggle;
using namespace waggle::measure;
using record::Role;

namespace {

/// Calls of getppid(2), which nothing else makes.
std::uint64_t asked(const PartyTrace& party) {
  std::uint64_t calls = 0;
  for (const CallCount& call : party.calls) {
    calls += call.call == "getppid" ? call.calls : 0;
  }
  return calls;
}

}  // namespace

TEST_CASE("any number of parties is told apart, and each is in its place") {
  const auto asks = [](int times) {
    return [times] {
      for (int i = 0; i < times; ++i) {
        ::getppid();
      }
      return true;
    };
  };
  Subject store(asks(3));
  Subject relay(asks(5));
  Subject sender(asks(7));
  Subject second_relay(asks(11));
  auto tracer = Tracer::start({{Role::store, store.pid()},
                               {Role::relay, relay.pid()},
                               {Role::sender, sender.pid()},
                               {Role::relay, second_relay.pid()}});
  if (!tracer) {
    test::cannot_run(tracer.error());
  }
  for (Subject* subject : {&store, &relay, &sender, &second_relay}) {
    REQUIRE(subject->go());
    REQUIRE(subject->done());
  }
  const auto trace = (*tracer)->stop();
  REQUIRE(trace);
  REQUIRE(trace->parties.size() == 4);
  CHECK(asked(trace->parties[0]) == 3);
  CHECK(asked(trace->parties[1]) == 5);
  CHECK(asked(trace->parties[2]) == 7);
  CHECK(asked(trace->parties[3]) == 11);
  CHECK(trace->parties[3].role == Role::relay);
  for (const PartyTrace& party : trace->parties) {
    CHECK(party.system_calls == asked(party) + 2);  // and the read that began it, and the write that ended it
  }
}

TEST_CASE("more parties than the programs tell apart are refused in one line") {
  const std::vector<Party> many(9, Party{Role::peer, ::getpid()});
  const auto tracer = Tracer::start(many);
  REQUIRE_FALSE(tracer);
  CHECK(tracer.error().fault == Fault::missing);
}
