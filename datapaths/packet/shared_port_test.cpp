// SPDX-License-Identifier: BSD-2-Clause
// Several connections in threads of their own, over one port.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "datapaths/packet/channel.hpp"
#include "datapaths/packet/testing/crowd.hpp"
#include "datapaths/packet/testing/loopback.hpp"
#include "datapaths/packet/udp/port.hpp"
#include "datapaths/testing/pair.hpp"

namespace waggle::packet {
namespace {

using std::chrono::seconds;
using test::as_bytes;
using test::must;
using test::pattern;
using test::pattern_file;

/// What happens in all ports of the datapath "guarded".
struct {
  std::atomic<int> overlaps{0};   ///< calls while another thread was inside
  std::atomic<Time> until{0};     ///< how long the one who sleeps does so at most
  std::atomic<bool> deaf{false};  ///< what comes in does not end a sleep that begins now
  std::atomic<bool> broken{false};
} guarded;

/// A UDP port that watches who uses it. It is shared by the connections of a process.
class GuardedPort final : public Port {
 public:
  explicit GuardedPort(std::unique_ptr<Port> inner) : inner_(std::move(inner)) {}
  Capabilities capabilities() const override { return inner_->capabilities(); }
  Peer local() const override { return inner_->local(); }
  bool past_kernel() const override { return inner_->past_kernel(); }
  std::size_t lease(std::span<TxFrame> frames) override { return Visit(*this), inner_->lease(frames); }
  Result<std::size_t> send(std::span<const TxFrame> frames) override { return Visit(*this), inner_->send(frames); }
  void give_back(std::span<const TxFrame> frames) override { Visit(*this), inner_->give_back(frames); }
  Result<std::size_t> poll(std::span<RxFrame> frames) override {
    const Visit visit(*this);
    return guarded.broken ? fail(Fault::io, "the port is broken") : inner_->poll(frames);
  }
  void release(std::span<const RxFrame> frames) override { Visit(*this), inner_->release(frames); }
  void reclaim() override { Visit(*this), inner_->reclaim(); }
  Result<Watch> arm(Time deadline) override {
    const Visit visit(*this);
    guarded.until = deadline;
    return guarded.deaf ? Watch{-1, 0, deadline} : inner_->arm(deadline);
  }
  void disarm() override {
    const Visit visit(*this);
    guarded.until = 0;
    inner_->disarm();
  }
  Time due() const override { return Visit(*this), inner_->due(); }
  Result<Peer> resolve(Peer peer, const std::stop_token& cancel) override { return inner_->resolve(peer, cancel); }
  std::vector<Mode> modes() const override { return inner_->modes(); }
  Counters counters() const override { return inner_->counters(); }

 private:
  struct Visit {
    explicit Visit(const GuardedPort& to) : port(to) { guarded.overlaps += port.inside_.exchange(true) ? 1 : 0; }
    ~Visit() { port.inside_ = false; }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    const GuardedPort& port;
  };
  std::unique_ptr<Port> inner_;
  mutable std::atomic<bool> inside_{false};
};

const Registration channel_test_registration =
    add_port({.name = "guarded",
              .summary = "udp, watched",
              .links = {"loopback"},
              .copies = [](Side, const PortUse&) { return CopyModel{}; },
              .options = udp_options(),
              .shared = true},
             [](const PortRequest& request) -> Result<std::vector<std::unique_ptr<Port>>> {
               WAGGLE_LET(ports, open_udp_ports(request));
               for (auto& port : ports) {
                 port = std::make_unique<GuardedPort>(std::move(port));
               }
               return ports;
             });

TEST_CASE("threads that share a port use it one at a time") {
  for (const Wait wait : {Wait::sleep, Wait::spin}) {
    INFO("spinning: " << (wait == Wait::spin));
    const ChannelOptions options{.wait = wait, .link = "loopback"};
    const auto* datapath = must(find_datapath("guarded"));
    const auto listener = must(datapath->listen({"127.0.0.1", 0}, options));
    std::thread serving([&] { testing::serve_crowd(*listener, 8); });
    const auto crowd = testing::run_crowd([&] { return datapath->connect(listener->endpoint(), options); }, 8, 100);
    CHECK(crowd.done == 8);
    serving.join();
  }
  CHECK(guarded.overlaps == 0);
}

TEST_CASE("time in polls that bring nothing is told of who spins") {
  const ChannelOptions options{.wait = Wait::spin, .link = "loopback"};
  const auto listener = must(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, options));
  std::unique_ptr<Channel> server;
  std::thread accepting([&] { server = *listener->accept(); });
  const auto client = must(must(find_datapath("udp"))->connect(listener->endpoint(), options));
  accepting.join();
  const auto told = [&] { return client->counters().at("empty_poll_ns"); };
  const std::uint64_t before = told();
  const Time start = now_ns();
  static_cast<void>(client->next(std::chrono::milliseconds(20)));  // nobody says anything
  const Time took = now_ns() - start;
  CHECK(told() > before);
  CHECK(told() - before <= took);
}

TEST_CASE("a thread that sleeps is woken by what another one has taken in, and by the end of the port") {
  const auto listener = must(must(find_datapath("udp"))->listen({"127.0.0.1", 0}, kLoopback));
  std::vector<std::unique_ptr<Channel>> clients;
  std::vector<std::unique_ptr<Channel>> servers;
  for (int i = 0; i < 2; ++i) {
    std::thread accepting([&] { servers.push_back(*listener->accept()); });
    clients.push_back(must(must(find_datapath("guarded"))->connect(listener->endpoint(), kLoopback)));
    accepting.join();
  }
  guarded.deaf = true;
  std::array<std::atomic<Time>, 2> woken{};
  std::thread sleeping([&] {
    for (auto& at : woken) {
      static_cast<void>(clients[0]->next(seconds(5)));
      at = now_ns();
    }
  });
  const auto asleep = [] {
    while (guarded.until < now_ns() + 900'000'000) {
      std::this_thread::yield();
    }
  };
  const auto poll_until = [&](const std::atomic<Time>& done) {
    const Time start = now_ns();
    while (done == 0) {
      static_cast<void>(clients[1]->next(seconds(0)));
    }
    return done > start ? done - start : 0;  // it may have woken before this thread came to look
  };
  // Left alone it sleeps until it has to send a PING, for a second or so.
  asleep();
  must(servers[0]->send(as_bytes("wake up")));
  must(servers[0]->flush());
  CHECK(poll_until(woken[0]) < 500'000'000);
  asleep();
  guarded.broken = true;
  CHECK(poll_until(woken[1]) < 500'000'000);
  sleeping.join();
  clients.clear();
  guarded.broken = false;
  guarded.deaf = false;
}

}  // namespace
}  // namespace waggle::packet
