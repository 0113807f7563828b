// SPDX-License-Identifier: BSD-2-Clause
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "datapaths/packet/packet_listener.hpp"
#include "datapaths/packet/testing/loopback.hpp"
#include "datapaths/packet/udp/port.hpp"
#include "datapaths/testing/pair.hpp"

/// The gate of a listener with several queues, here of UDP ports with a number each.
namespace waggle::packet {
namespace {

using test::as_bytes;
using test::must;
using test::next_message;
using test::text_of;

/// Lets in who says "please", and turns everybody else away.
class PolitePorter final : public Admission {
 public:
  Answer on_message(ByteView message, bool) override {
    const bool polite = text_of(message) == "please";
    return {polite ? Verdict::admit : Verdict::refuse, as_bytes(polite ? "welcome" : "go away")};
  }
  ByteView refusal(const Error&) override { return as_bytes("no"); }
  const Error& failure() const override { return failure_; }

 private:
  Error failure_{Fault::denied, "a stranger was rude", {}};
};

std::unique_ptr<Port> open_port() {
  const auto settings = must(Settings::of("udp", udp_options(), kLoopback));
  auto ports = must(open_udp_ports(
      {.local = {"127.0.0.1", 0}, .remote = {}, .listens = true, .options = kLoopback, .settings = settings}));
  return std::move(ports.front());
}

TEST_CASE("the gate hears all queues of a listener, whoever waits at the others") {
  constexpr std::size_t kQueues = 3;
  std::vector<std::unique_ptr<Port>> ports;
  std::vector<Endpoint> doors;
  for (std::size_t i = 0; i < kQueues; ++i) {
    ports.push_back(open_port());
    doors.push_back({"127.0.0.1", ports.back()->local_port()});
  }
  HostOptions host;
  host.listens = true;
  PacketListener listener(std::move(ports), host, "udp", kLoopback);
  Gate gate;
  gate.admission = [] { return std::make_unique<PolitePorter>(); };
  gate.most_strangers = 3 * kQueues;
  std::vector<Admitted> guests;
  std::atomic<std::size_t> refused{0};
  gate.refused = [&](const Error&) { ++refused; };
  std::thread accepting([&] {
    while (auto admitted = listener.accept(gate)) {
      guests.push_back(std::move(*admitted));
    }
  });
  // At each queue: some who say nothing, one who is rude and one who asks.
  std::vector<std::unique_ptr<Channel>> silent;
  std::vector<std::unique_ptr<Channel>> friends;
  for (const Endpoint& door : doors) {
    const auto connect = [&] { return must(must(find_datapath("udp"))->connect(door, kLoopback)); };
    silent.push_back(connect());
    const auto rude = connect();
    must(rude->send(as_bytes("let me in")));
    CHECK(text_of(next_message(*rude).message) == "go away");
    friends.push_back(connect());
    must(friends.back()->send(as_bytes("please")));
    CHECK(text_of(next_message(*friends.back()).message) == "welcome");
  }
  listener.abort();
  accepting.join();
  CHECK(guests.size() == kQueues);
  CHECK(refused == kQueues);
  // Each guest's channel is that of the queue at which it came.
  for (std::size_t i = 0; i < guests.size(); ++i) {
    must(guests[i].channel->send(as_bytes("you are " + std::to_string(i))));
    must(guests[i].channel->flush());
    CHECK(text_of(next_message(*friends[i]).message) == "you are " + std::to_string(i));
  }
}

}  // namespace
}  // namespace waggle::packet
