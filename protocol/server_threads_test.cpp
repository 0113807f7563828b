// SPDX-License-Identifier: BSD-2-Clause
#include <pthread.h>

#include <catch2/catch.hpp>

#include "protocol/client.hpp"
#include "protocol/server.hpp"
#include "protocol/testing/fixture.hpp"

using namespace waggle;
using namespace waggle::protocol;
using namespace waggle::protocol::testing;

namespace {

/// No thread can be made as long as this lives: there is no memory for the stack that each would get.
class NoThreads {
 public:
  NoThreads() {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    ::pthread_getattr_default_np(&huge);
    REQUIRE(::pthread_attr_setstacksize(&huge, std::size_t{1} << 60U) == 0);
    REQUIRE(::pthread_setattr_default_np(&huge) == 0);
    ::pthread_attr_destroy(&huge);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_{};
};

}  // namespace

TEST_CASE("a client for whom there is no thread hears that the server is busy", "[server]") {
  auto made = make_memory_listener();
  MemoryListener& listener = *made;
  auto tree = std::make_shared<Tree>();
  tree->put("file", "content");
  Server server(std::move(made), [&] { return std::make_unique<MemoryFiles>(tree); }, {});
  {
    const NoThreads none;
    for (int i = 0; i < 3; ++i) {
      const auto refused = Client::open(listener.connect(), {});
      REQUIRE_FALSE(refused);
      CHECK(refused.error().fault == Fault::busy);
      CHECK(refused.error().text() == "the server is busy: it can start no more threads; try again later");
    }
  }
  auto client = Client::open(listener.connect(), {});
  REQUIRE(client);
  CHECK(client->getattr("file"));
}
