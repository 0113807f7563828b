// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/server.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

#include "protocol/client.hpp"
#include "protocol/testing/fixture.hpp"
#include "protocol/testing/forwarding_channel.hpp"

using namespace waggle;
using namespace waggle::protocol;
using namespace waggle::protocol::testing;

namespace {

/// A Server over memory, and what it needs to be watched.
struct Watched {
  explicit Watched(ServerOptions options = {}) {
    auto made = make_memory_listener();
    listener = made.get();
    server = std::make_unique<Server>(
        std::move(made), [this] { return std::make_unique<MemoryFiles>(tree); }, std::move(options),
        [this](const Error& error) {
          const std::lock_guard lock(mutex);
          errors.push_back(error);
          heard.notify_all();
        });
  }

  std::shared_ptr<Tree> tree = std::make_shared<Tree>();
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<Error> errors;
  MemoryListener* listener = nullptr;
  std::unique_ptr<Server> server;
};

using Grants = std::shared_ptr<std::atomic<int>>;

/// Another channel whose end waits for its peer, for as long as `gone` says, and which is granted what `grants` says.
class SlowToEnd final : public ForwardingChannel {
 public:
  SlowToEnd(std::unique_ptr<Channel> inner, std::shared_future<void> gone, Grants grants)
      : ForwardingChannel(std::move(inner)), gone_(std::move(gone)), grants_(std::move(grants)) {}
  ~SlowToEnd() override { gone_.wait(); }
  Facts facts() const override {
    Facts facts = ForwardingChannel::facts();
    facts.modes.push_back({"packet", "largest", std::to_string(grants_ ? grants_->load() : 0)});
    return facts;
  }

 private:
  std::shared_future<void> gone_;
  Grants grants_;
};

/// Fails as it is told before it lets anybody in.
class FailingListener final : public Listener {
 public:
  FailingListener(std::unique_ptr<MemoryListener> inner, std::vector<Error> failures)
      : inner_(std::move(inner)), failures_(std::move(failures)) {}
  Endpoint endpoint() const override { return inner_->endpoint(); }
  Result<std::unique_ptr<Channel>> accept() override { return inner_->accept(); }
  Result<Admitted> accept(const Gate& gate) override {
    return asked_ < failures_.size() ? std::unexpected(failures_[asked_++]) : inner_->accept(gate);
  }
  void abort() noexcept override { inner_->abort(); }

 private:
  std::unique_ptr<MemoryListener> inner_;
  std::vector<Error> failures_;
  std::size_t asked_ = 0;
};

/// Gives out channels that are slow to end.
class SlowListener final : public Listener {
 public:
  SlowListener(std::unique_ptr<MemoryListener> inner, std::shared_future<void> gone, Grants grants = {})
      : inner_(std::move(inner)), gone_(std::move(gone)), grants_(std::move(grants)) {}
  Endpoint endpoint() const override { return inner_->endpoint(); }
  Result<std::unique_ptr<Channel>> accept() override { return inner_->accept(); }
  Result<Admitted> accept(const Gate& gate) override {
    WAGGLE_LET(admitted, inner_->accept(gate));
    admitted.channel = std::make_unique<SlowToEnd>(std::move(admitted.channel), gone_, grants_);
    return admitted;
  }
  void abort() noexcept override { inner_->abort(); }

 private:
  std::unique_ptr<MemoryListener> inner_;
  std::shared_future<void> gone_;
  Grants grants_;
};

}  // namespace

TEST_CASE("a server serves several clients at once, and stop ends them", "[server]") {
  Watched watched;
  watched.tree->put("file", "content");
  auto one = Client::open(watched.listener->connect(), {});
  auto two = Client::open(watched.listener->connect(), {});
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one->getattr("file"));
  CHECK(two->getattr("file"));
  CHECK(watched.server->connections() == 2);
  CHECK(watched.server->facts().sender == "memory");
  watched.server->stop();
  const auto gone = one->getattr("file");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().fault == Fault::peer_gone);
  CHECK(one->getattr("file").error().fault == Fault::peer_gone);
  CHECK(watched.errors.empty());
}

TEST_CASE("facts are as they are now, and after a connection as they were at its end", "[server]") {
  auto inner = make_memory_listener();
  MemoryListener& memory = *inner;
  std::promise<void> gone;
  gone.set_value();
  auto grants = std::make_shared<std::atomic<int>>(0);
  const auto tree = std::make_shared<Tree>();
  Server server(std::make_unique<SlowListener>(std::move(inner), gone.get_future().share(), grants),
                [&] { return std::make_unique<MemoryFiles>(tree); }, {}, {});
  const auto granted = [&] { return server.facts().modes.at(0).granted; };
  {
    auto client = Client::open(memory.connect(), {});
    REQUIRE(client);
    REQUIRE(client->mkdir("answered", 0755));  // WELCOME goes out before the server has a thread for the connection
    *grants = 1472;
    CHECK(granted() == "1472");
    *grants = 1400;
    CHECK(granted() == "1400");
  }
  while (server.connections() != 0) {
    std::this_thread::yield();
  }
  *grants = 1;
  CHECK(granted() == "1400");
}

TEST_CASE("connections that ended are reaped and counted while the server runs", "[server]") {
  Watched watched;
  watched.tree->put("file", "content");
  for (int i = 0; i < 50; ++i) {
    auto client = Client::open(watched.listener->connect(), {});
    REQUIRE(client);
    CHECK(client->getattr("file"));
  }
  while (watched.server->connections() != 0) {
    std::this_thread::yield();
  }
  // CHALLENGE, WELCOME and ATTRIBUTES on each.
  CHECK(watched.server->counters()["messages"] == 150);
}

TEST_CASE("a client that is one too many hears that the server is busy", "[server]") {
  Watched watched({.most_clients = 1});
  auto one = Client::open(watched.listener->connect(), {});
  REQUIRE(one);
  const auto two = Client::open(watched.listener->connect(), {});
  REQUIRE_FALSE(two);
  CHECK(two.error().fault == Fault::busy);
  CHECK(two.error().text() == "the server is busy: it takes no more clients than 1; try again later");
  CHECK(one->mkdir("d", 0755));
}

TEST_CASE("who breaks the protocol hears why, and so does the server's owner", "[server]") {
  Watched watched({.token = "secret"});
  const auto client = Client::open(watched.listener->connect(), {.token = "wrong"});
  REQUIRE_FALSE(client);
  CHECK(client.error().what == "the server refuses the token");
  std::unique_lock lock(watched.mutex);
  watched.heard.wait(lock, [&] { return !watched.errors.empty(); });
  CHECK(watched.errors[0].fault == Fault::denied);
}

TEST_CASE("nobody waits for a connection that is slow to end", "[server]") {
  auto made = make_memory_listener();
  MemoryListener& listener = *made;
  std::promise<void> gone;
  auto tree = std::make_shared<Tree>();
  tree->put("file", "content");
  Server server(std::make_unique<SlowListener>(std::move(made), gone.get_future().share()),
                [&] { return std::make_unique<MemoryFiles>(tree); }, {});
  {
    auto first = Client::open(listener.connect(), {});
    REQUIRE(first);
    CHECK(first->getattr("file"));
  }
  // Its end is under way for as long as this test wants; the counts are taken just before.
  while (server.counters()["messages"] < 3) {
    std::this_thread::yield();
  }
  auto second = Client::open(listener.connect(), {});
  REQUIRE(second);
  CHECK(second->getattr("file"));
  CHECK(server.connections() == 2);
  gone.set_value();
}

TEST_CASE("a listener that is short of something is asked again", "[server]") {
  std::vector<Error> failures;
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED}) {
    failures.push_back(fail_errno("cannot accept a connection", error).error());
  }
  failures.push_back(fail(Fault::busy, "no more threads").error());
  auto made = make_memory_listener();
  MemoryListener& listener = *made;
  std::vector<Error> heard;
  int ended = 0;
  const Server server(
      std::make_unique<FailingListener>(std::move(made), failures),
      [] { return std::make_unique<MemoryFiles>(std::make_shared<Tree>()); }, {},
      [&](const Error& error) { heard.push_back(error); }, [&](const Error&) { ++ended; });
  CHECK(Client::open(listener.connect(), {}));
  CHECK(ended == 0);
  CHECK(heard.size() == failures.size());
}

TEST_CASE("a listener that has failed for good is asked no more", "[server]") {
  const auto error = GENERATE(as<int>(), EBADF, EINVAL, ENODEV, ENETDOWN, 0);
  CAPTURE(error);
  const Error dead = error != 0 ? fail_errno("veth0 is no more", error).error() : Error{Fault::io, "it broke", {}};
  std::promise<Error> ended;
  int complaints = 0;
  {
    const Server server(
        std::make_unique<FailingListener>(make_memory_listener(), std::vector(3, dead)),
        [] { return std::make_unique<MemoryFiles>(std::make_shared<Tree>()); }, {}, [&](const Error&) { ++complaints; },
        [&](const Error& why) { ended.set_value(why); });
    auto heard = ended.get_future();
    REQUIRE(heard.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
    CHECK(heard.get().what == dead.what);
  }
  CHECK(complaints == 0);
}
