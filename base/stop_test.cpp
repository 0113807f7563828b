// SPDX-License-Identifier: BSD-2-Clause
#include "base/stop.hpp"

#include <poll.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <thread>

#include "base/resolve.hpp"

namespace waggle {
namespace {

using namespace std::chrono_literals;

addrinfo any() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  return hints;
}

/// A name server that keeps its answer until it is told to give it.
struct Silent {
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;
  bool released = false;
  bool over = false;

  void wait(bool Silent::* what) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return this->*what; });
  }
  void tell(bool Silent::* what) {
    const std::scoped_lock lock(mutex);
    this->*what = true;
    changed.notify_all();
  }
} silent;

TEST_CASE("a pause ends when a stop is requested, or was before it began") {
  std::stop_source stop;
  CHECK(pause(stop.get_token(), 1ms));
  CHECK(pause({}, 1ms));
  std::thread stopping([&] { stop.request_stop(); });
  CHECK_FALSE(pause(stop.get_token(), 1h));
  stopping.join();
  CHECK_FALSE(pause(stop.get_token(), 1h));
}

TEST_CASE("a stop can be polled for") {
  std::stop_source stop;
  const StopFd told(stop.get_token());
  pollfd ready{told.get(), POLLIN, 0};
  CHECK(::poll(&ready, 1, 0) == 0);
  stop.request_stop();
  CHECK(::poll(&ready, 1, 0) == 1);
  const StopFd late(stop.get_token());
  ready.fd = late.get();
  CHECK(::poll(&ready, 1, 0) == 1);
}

TEST_CASE("addresses are resolved without asking anybody, names by whoever knows them") {
  constexpr Lookup kNobody = [](const char*, const char*, const addrinfo*, addrinfo**) { return EAI_FAIL; };
  std::stop_source stop;
  for (const auto& cancel : {std::stop_token(), stop.get_token()}) {
    CHECK(resolve("127.0.0.1", "7411", any(), cancel, kNobody));
    CHECK(resolve("::1", "", any(), cancel, kNobody));
    const auto none = resolve("somewhere", "1", any(), cancel, kNobody);
    REQUIRE_FALSE(none);
    CHECK(none.error().fault == Fault::not_found);
    CHECK(resolve("localhost", "1", any(), cancel));
  }
}

TEST_CASE("looking for a name ends when it is called off, and the one who looks may go on") {
  std::stop_source stop;
  std::thread calling_off([&] {
    silent.wait(&Silent::asked);
    stop.request_stop();
  });
  const auto found = resolve("somewhere", "1", any(), stop.get_token(),
                             [](const char* host, const char*, const addrinfo*, addrinfo** list) {
                               silent.tell(&Silent::asked);
                               silent.wait(&Silent::released);
                               const addrinfo numeric{.ai_flags = AI_NUMERICHOST};
                               const int code = ::getaddrinfo(*host == 's' ? "127.0.0.1" : "", "1", &numeric, list);
                               silent.tell(&Silent::over);
                               return code;
                             });
  REQUIRE_FALSE(found);
  CHECK(found.error().fault == Fault::cancelled);
  calling_off.join();
  silent.tell(&Silent::released);
  silent.wait(&Silent::over);
}

}  // namespace
}  // namespace waggle
