// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <iostream>

#include "base/units.hpp"
#include "datapaths/packet/simulated/testing/scenario.hpp"
#include "datapaths/packet/testing/times.hpp"

namespace waggle::packet::testing {
namespace {

constexpr std::uint64_t kExtent = Files::kMost;
/// Preamble, Ethernet header, checksum and gap, IPv4 and UDP headers.
constexpr std::uint32_t kOverhead = 8 + 14 + 4 + 12 + 20 + 8;

std::vector<Job> bulk(std::uint64_t bytes) {
  std::vector<Job> jobs;
  for (std::uint64_t done = 0; done < bytes; done += kExtent) {
    jobs.push_back({.id = {static_cast<std::uint32_t>(jobs.size() + 1), 0, kExtent}, .sink = Incoming::Sink::discard});
  }
  return jobs;
}

/// Clients that fetch from one server over one bottleneck, each over a port of its own.
class Bottleneck {
 public:
  Bottleneck(const Impairments& down, const Impairments& up, const VirtualNetwork::PortOptions& port)
      : down_(down, 1), up_(up, 2), watcher_(world_.network()), files_(0, 1), port_(port) {
    HostOptions options;
    options.listens = true;
    options.read = FileReader::Way::copied;
    server_ = &world_.add(kServer, down_, port_, options);
    server_->act = [this](Time now) {
      while (Connection* connection = server_->host->accepted()) {
        served_.emplace_back(*server_->host, *connection, files_, 0);
        watcher_.add(*connection, kServer);
      }
      for (Party& party : served_) {
        party.act(now);
      }
      watcher_.check();
    };
  }

  struct Flow {
    World::Machine* machine = nullptr;
    std::optional<Party> party;
    Time begun = 0;
    Time ended = 0;
    double rate(std::uint64_t bytes) const {
      return static_cast<double>(bytes) * 8e9 / static_cast<double>(ended - begun);
    }
  };

  /// Begins to fetch `bytes` now.
  Flow& fetch(std::uint64_t bytes) {
    Flow& flow = flows_.emplace_back();
    const Peer address{.ip = kServer.ip + 1 + static_cast<std::uint32_t>(flows_.size()), .port = 40000};
    flow.machine = &world_.add(address, up_, port_, {});
    flow.begun = world_.now();
    const auto connection = flow.machine->host->connect(kServer, world_.now());
    flow.party.emplace(*flow.machine->host, **connection, files_, 1, bulk(bytes), 4);
    watcher_.add(**connection, address);
    flow.machine->act = [&flow](Time now) {
      flow.party->act(now);
      if (flow.ended == 0 && flow.party->finished()) {
        flow.ended = now;
      }
      must(!flow.party->failure(), "a flow failed");
    };
    return flow;
  }

  World& world() { return world_; }
  std::list<Party>& served() { return served_; }
  VirtualLink& down() { return down_; }

 private:
  static constexpr Peer kServer{.ip = 0x0A000001, .port = 7000};
  VirtualLink down_;
  VirtualLink up_;
  World world_;
  Watcher watcher_;
  Files files_;
  VirtualNetwork::PortOptions port_;
  World::Machine* server_ = nullptr;
  std::list<Party> served_;
  std::list<Flow> flows_;
};

struct Measured {
  double goodput = 0;  ///< bit/s
  std::uint64_t lost = 0;
  std::uint64_t dropped = 0;  ///< in the queue
  std::uint64_t spurious = 0;
};

Measured measure(const Impairments& down, const Impairments& up, std::uint32_t packet, std::uint64_t bytes) {
  Bottleneck bottleneck(down, up, {.packet = packet, .rx_capacity = 4096, .tx_capacity = 4096});
  auto& flow = bottleneck.fetch(bytes);
  must(bottleneck.world().run(600 * kSecond, [&] { return flow.ended != 0; }), "a flow did not end");
  must(bottleneck.world().network().dropped() == 0, "the receiver was overrun");
  const auto& stats = bottleneck.served().front().connection().stats();
  return {flow.rate(bytes), stats.lost_packets, bottleneck.down().stats().queue_drops, stats.spurious_losses};
}

void print(const std::string& what, const Measured& measured) {
  std::cout << fmt::format("{}: {}, {} packets lost, {} of them in the queue, {} not lost at all\n", what,
                           format_rate(measured.goodput), measured.lost, measured.dropped, measured.spurious);
}

TEST_CASE("one flow fills a clean link of 10 Gbit/s and 1 ms") {
  const std::uint32_t packet = GENERATE(1472U, 3372U, 8924U);
  const Impairments down{.delay = kMs / 2, .rate = 10'000'000'000, .queue = 1'250'000, .overhead = kOverhead};
  const auto measured =
      measure(down, {.delay = kMs / 2, .rate = 10'000'000'000, .overhead = kOverhead}, packet, 1 << 29);
  print(fmt::format("10 Gbit/s, 1 ms, packets of {} bytes", packet), measured);
  // Of what headers leave.
  const double most = 10e9 * static_cast<double>(packet - kDataHeader) / (packet + kOverhead);
  CHECK(measured.goodput >= 0.9 * 10e9);
  CHECK(measured.goodput <= most);
}

TEST_CASE("a peer that had no CPU for a while does not make packets small") {
  constexpr std::uint32_t kPacket = 8924;
  constexpr std::uint64_t kBytes = 1 << 29;
  const Impairments down{.delay = kMs / 2, .rate = 10'000'000'000, .queue = 1'250'000, .overhead = kOverhead};
  // Nothing is heard of it for many probe timeouts, but what was sent has arrived.
  Impairments up{.delay = kMs / 2, .rate = 10'000'000'000, .overhead = kOverhead};
  up.black_holes = {{1'100'000'000, 1'150'000'000}};
  Bottleneck bottleneck(down, up, {.packet = kPacket, .rx_capacity = 4096, .tx_capacity = 4096});
  auto& flow = bottleneck.fetch(kBytes);
  must(bottleneck.world().run(600 * kSecond, [&] { return flow.ended != 0; }), "a flow did not end");
  const auto& stats = bottleneck.served().front().connection().stats();
  REQUIRE(stats.probe_timeouts >= 3);
  CHECK(stats.packets_sent < kBytes / (kPacket - kDataHeader) * 12 / 10);
}

/// Two flows, the second one `later`; measured for `lasts` once they had `settle` to find their shares, many times the
/// length of CUBIC's epochs at these windows.
struct Contest {
  std::uint64_t rate;  ///< bit/s
  Time round_trip;
  std::uint32_t packet;
  Time later;
  Time settle;
  Time lasts;
};

TEST_CASE("two flows share a bottleneck fairly") {
  const auto contest = GENERATE(Contest{10'000'000'000, kMs, 8924, 0, kSecond, 2 * kSecond},
                                Contest{10'000'000'000, kMs, 8924, 500 * kMs, kSecond, 2 * kSecond},
                                Contest{1'000'000'000, 10 * kMs, 8924, 2 * kSecond, 10 * kSecond, 20 * kSecond},
                                Contest{100'000'000, 40 * kMs, 1472, 5 * kSecond, 40 * kSecond, 80 * kSecond});
  const std::uint64_t queue = contest.rate / 8 * contest.round_trip / kSecond;
  Bottleneck bottleneck({.delay = contest.round_trip / 2, .rate = contest.rate, .queue = queue, .overhead = kOverhead},
                        {.delay = contest.round_trip / 2},
                        {.packet = contest.packet, .rx_capacity = 4096, .tx_capacity = 4096});
  World& world = bottleneck.world();
  const auto pass = [&](Time time) { world.run(world.now() + time + 1, [] { return false; }); };
  const std::uint64_t enough = contest.rate / 8 * 1000;
  auto& first = bottleneck.fetch(enough);
  pass(contest.later);
  auto& second = bottleneck.fetch(enough);
  pass(contest.settle);
  const std::uint64_t first_then = first.party->verified_bytes();
  const std::uint64_t second_then = second.party->verified_bytes();
  pass(contest.lasts);
  const auto x = static_cast<double>(first.party->verified_bytes() - first_then);
  const auto y = static_cast<double>(second.party->verified_bytes() - second_then);
  const double jain = (x + y) * (x + y) / (2 * (x * x + y * y));
  const double used = (x + y) * 8e9 / static_cast<double>(contest.lasts) / static_cast<double>(contest.rate);
  std::cout << fmt::format("two flows over {}, {}, the second {} later: Jain {:.3f}, {:.0f} % of the link\n",
                           format_rate(static_cast<double>(contest.rate)),
                           format_duration_ns(static_cast<double>(contest.round_trip)),
                           format_duration_ns(static_cast<double>(contest.later)), jain, 100 * used);
  CHECK(jain >= 0.9);
  CHECK(used >= 0.85);
}

/// What TCP Reno reaches with random loss (Mathis et al., 1997), and CUBIC (RFC 9438, section 5.1), in packets per
/// second; real TCP does no better.
double bound(double loss, double round_trip) {
  const double mathis = std::sqrt(1.5 / loss) / round_trip;
  const double cubic = 1.054 * std::pow(round_trip, 0.75) / std::pow(loss, 0.75) / round_trip;
  return std::max(mathis, cubic);
}

TEST_CASE("random loss of 1 % slows a flow down as it does TCP, but not more") {
  for (const Time round_trip : {100'000UL, kMs, 10 * kMs, 50 * kMs}) {
    const Impairments down{.loss = 0.01, .delay = round_trip / 2, .rate = 10'000'000'000, .overhead = kOverhead};
    const double expected = bound(0.01, static_cast<double>(round_trip) / 1e9) * (1472 - kDataHeader) * 8;
    const auto measured = measure(down, {.delay = round_trip / 2}, 1472, round_trip >= 10 * kMs ? 1 << 24 : 1 << 26);
    print(fmt::format("1 % loss, {}: TCP's bound {}, here", format_duration_ns(static_cast<double>(round_trip)),
                      format_rate(expected)),
          measured);
    CHECK(measured.goodput >= 0.5 * std::min(expected, 9e9));
  }
}

TEST_CASE("reordering alone costs little") {
  const Impairments down{.reorder = 0.05, .delay = kMs / 2, .rate = 1'000'000'000, .overhead = kOverhead};
  const auto measured = measure(down, {.delay = kMs / 2}, 1472, 1 << 27);
  print("1 Gbit/s, 1 ms, 5 % of packets late", measured);
  CHECK(measured.goodput >= 0.7e9);
}

}  // namespace
}  // namespace waggle::packet::testing
