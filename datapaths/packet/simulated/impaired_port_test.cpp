// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/impaired_port.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <set>
#include <vector>

#include "base/clock.hpp"
#include "datapaths/packet/simulated/port.hpp"
#include "datapaths/packet/testing/wait.hpp"

namespace waggle::packet {
namespace {

constexpr Peer kHere{.ip = 0x7F000001};

struct Pair {
  std::unique_ptr<Port> server;
  std::unique_ptr<Port> client;
};

Result<std::unique_ptr<Port>> open(bool listens, std::uint16_t number, std::map<std::string, std::string> changes) {
  ChannelOptions options;
  options.link = "loopback";
  options.allow_fallback = true;
  options.settings = std::move(changes);
  WAGGLE_LET(settings, Settings::of("simulated", simulated_options(), options));
  const Endpoint at{"127.0.0.1", number};
  WAGGLE_LET(ports, open_simulated_ports({.local = listens ? at : Endpoint{},
                                          .remote = listens ? Endpoint{} : at,
                                          .listens = listens,
                                          .options = options,
                                          .settings = settings}));
  return std::move(ports.front());
}

Pair pair(const std::map<std::string, std::string>& changes) {
  auto server = open(true, 0, changes);
  REQUIRE(server);
  auto client = open(false, (*server)->local_port(), changes);
  REQUIRE(client);
  return {*std::move(server), *std::move(client)};
}

/// Sends `count` numbered packets of 1,000 bytes in bursts and returns the numbers that arrive, in order. `idle` ns
/// without a packet end it.
std::vector<std::uint32_t> send_through(Pair& ports, std::uint32_t count, Time idle, std::uint64_t& damaged) {
  Peer to = kHere;
  to.port = ports.server->local_port();
  std::vector<std::uint32_t> numbers;
  std::array<RxFrame, kMostBurst> in;
  Time last = now_ns();
  const auto collect = [&] {
    const auto got = ports.server->poll(in);
    REQUIRE(got);
    for (const RxFrame& frame : std::span(in).first(*got)) {
      std::uint32_t number = 0;
      const bool whole = frame.length == 1000;
      if (whole) {
        std::memcpy(&number, frame.packet, sizeof number);
      }
      const ByteView rest = ByteView(frame.packet, frame.length).subspan(std::min<std::size_t>(frame.length, 4));
      const bool right = std::ranges::all_of(rest, [&](std::byte b) { return b == static_cast<std::byte>(number); });
      damaged += whole && right && number < count ? 0 : 1;
      numbers.push_back(number);
      last = now_ns();
    }
    ports.server->release(std::span(in).first(*got));
  };
  for (std::uint32_t next = 0; next < count;) {
    std::array<TxFrame, 16> frames;
    const std::size_t leased = ports.client->lease(frames);
    for (TxFrame& frame : std::span(frames).first(leased)) {
      std::memset(frame.packet, static_cast<int>(next & 0xFFU), 1000);
      std::memcpy(frame.packet, &next, sizeof next);
      frame.length = 1000;
      frame.to = to;
      ++next;
    }
    REQUIRE(ports.client->send(std::span(frames).first(leased)) == leased);
    ports.client->reclaim();
    collect();
  }
  while (now_ns() < last + idle) {
    REQUIRE(testing::wait(*ports.server, now_ns() + 1'000'000));
    collect();
  }
  return numbers;
}

TEST_CASE("a virtual link without impairments changes nothing") {
  Pair ports = pair({});
  std::uint64_t damaged = 0;
  const auto numbers = send_through(ports, 1600, 20'000'000, damaged);
  CHECK(damaged == 0);
  CHECK(numbers.size() == 1600);
  CHECK(std::ranges::is_sorted(numbers));
}

TEST_CASE("packets are lost, doubled and damaged as often as asked") {
  Pair ports = pair({{"simulated.loss", "30%"},
                     {"simulated.duplicate", "0.2"},
                     {"simulated.corrupt", "0.1"},
                     {"simulated.truncate", "0.1"},
                     {"simulated.seed", "4"}});
  std::uint64_t damaged = 0;
  const auto numbers = send_through(ports, 3200, 20'000'000, damaged);
  const double expected = 3200 * 0.7 * 1.2;
  CHECK(static_cast<double>(numbers.size()) == Approx(expected).epsilon(0.06));
  CHECK(static_cast<double>(damaged) == Approx(expected * 0.19).epsilon(0.2));
  const Counters counters = ports.server->counters();
  CHECK(counters.at("link_lost") > 800);
  CHECK(counters.at("link_corrupted") > 150);
}

TEST_CASE("packets are held back for the delay, and due() tells") {
  Pair ports = pair({{"simulated.delay", "30ms"}, {"simulated.jitter", "5ms"}});
  const Time start = now_ns();
  std::uint64_t damaged = 0;
  std::array<RxFrame, 1> none;
  const auto numbers = send_through(ports, 16, 60'000'000, damaged);
  CHECK(now_ns() - start >= 90'000'000);
  CHECK(numbers.size() == 16);
  CHECK(std::set(numbers.begin(), numbers.end()).size() == 16);
  CHECK_FALSE(std::ranges::is_sorted(numbers));
  CHECK(ports.server->poll(none) == 0);
}

TEST_CASE("options that make no sense are refused in one line") {
  for (const auto& [option, value] : std::map<std::string, std::string>{
           {"loss", "2"}, {"corrupt", "often"}, {"delay", "20s"}, {"rate", "fast"}, {"queue", "-1"}, {"seed", "x"}}) {
    CAPTURE(option, value);
    const auto port = open(true, 0, {{"simulated." + option, value}});
    REQUIRE_FALSE(port);
    CHECK(port.error().fault == Fault::usage);
  }
}

}  // namespace
}  // namespace waggle::packet
