// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/host.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <new>

#include "datapaths/packet/simulated/testing/scenario.hpp"
#include "datapaths/packet/testing/times.hpp"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

#if defined(__has_feature)
#define WAGGLE_SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define WAGGLE_SANITIZED 1
#else
#define WAGGLE_SANITIZED 0
#endif

#if !WAGGLE_SANITIZED
// Counts what this program allocates; sanitizers have operators of their own, and then nothing is counted. Not inlined,
// or GCC 12 takes new and free() for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(std::max<std::size_t>(size, 1))) {
    return memory;
  }
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

namespace waggle::packet::testing {
namespace {

constexpr Peer kServer{.ip = 0x0A000001, .port = 7000};

Peer client_address(std::uint32_t number) {
  return {.ip = 0x0A010000 + number, .port = 40000};
}

/// A server and what it serves.
class Server {
 public:
  Server(World& world, VirtualLink& uplink, Files& files, const VirtualNetwork::PortOptions& port) : files_(files) {
    HostOptions options;
    options.listens = true;
    machine_ = &world.add(kServer, uplink, port, options);
    machine_->act = [this](Time now) { act(now); };
  }
  Host& host() { return *machine_->host; }
  std::list<Party>& parties() { return parties_; }

 private:
  void act(Time now) {
    while (Connection* connection = host().accepted()) {
      parties_.emplace_back(host(), *connection, files_, 0);
    }
    for (auto party = parties_.begin(); party != parties_.end();) {
      party->act(now);
      if (party->over()) {
        host().forget(party->connection(), now);
        party = parties_.erase(party);
      } else {
        ++party;
      }
    }
  }

  Files& files_;
  World::Machine* machine_ = nullptr;
  std::list<Party> parties_;
};

std::vector<Job> bulk(std::size_t count, std::uint64_t length) {
  std::vector<Job> jobs;
  for (std::uint32_t i = 0; i < count; ++i) {
    jobs.push_back({.id = {i + 1, 0, length}, .sink = Incoming::Sink::discard});
  }
  return jobs;
}

TEST_CASE("one port serves 256 clients at once, with some loss") {
  World world;
  Watcher watcher(world.network());
  VirtualLink down({.loss = 0.01, .delay = kMs, .rate = 10'000'000'000, .queue = 4'000'000}, 1);
  VirtualLink up({.loss = 0.01, .delay = kMs}, 2);
  Files files(0, 1);
  Server server(world, down, files, {.rx_capacity = 8192, .tx_capacity = 1024});
  std::list<Party> clients;
  std::list<World::Machine*> machines;
  std::size_t finished = 0;
  for (std::uint32_t number = 0; number < 256; ++number) {
    World::Machine& machine = world.add(client_address(number), up, {.rx_capacity = 256, .tx_capacity = 64}, {});
    const auto connection = machine.host->connect(kServer, world.now());
    REQUIRE(connection);
    Party& party = clients.emplace_back(*machine.host, **connection, files, 1, bulk(4, 60'000), 2);
    machine.act = [&, left = false](Time now) mutable {
      if (left) {
        return;
      }
      party.act(now);
      must(!party.failure(), "a client failed");
      if (party.finished()) {
        left = true;
        ++finished;
        machine.host->forget(party.connection(), now);
      }
    };
    machines.push_back(&machine);
  }
  const auto done = [&] {
    return finished == 256 && server.host().empty() &&
           std::ranges::all_of(machines, [](const auto* each) { return each->host->empty(); });
  };
  CHECK(world.run(world.now() + 60 * kSecond, done));
  CHECK(finished == 256);
  for (const Party& party : clients) {
    CHECK(party.verified_bytes() == 240'000);
  }
}

TEST_CASE("a flow in full swing allocates nothing per packet") {
  World world;
  VirtualLink down({.delay = kMs / 2, .rate = 10'000'000'000, .queue = 4'000'000}, 1);
  VirtualLink up({.delay = kMs / 2}, 2);
  Files files(0, 1);
  const VirtualNetwork::PortOptions port{.rx_capacity = 4096, .tx_capacity = 4096};
  Server server(world, down, files, port);
  World::Machine& machine = world.add(client_address(1), up, port, {});
  const auto connection = machine.host->connect(kServer, world.now());
  REQUIRE(connection);
  Party client(*machine.host, **connection, files, 1, bulk(400, Files::kMost), 2);
  machine.act = [&](Time now) { client.act(now); };
  world.run(world.now() + 200 * kMs, [] { return false; });
  const Connection& sender = server.parties().front().connection();
  const std::uint64_t packets = sender.stats().packets_sent;
  const std::uint64_t before = allocations.load();
  world.run(world.now() + 100 * kMs, [] { return false; });
  const std::uint64_t sent = sender.stats().packets_sent - packets;
  const std::uint64_t allocated = allocations.load() - before;
  CAPTURE(sent, allocated);
  CHECK(sent > 70'000);
  // The parties' notes and digesters for some 15 extents, and no more.
  CHECK(allocated < sent / 100);
}

/// Somebody who sends what he likes from an address.
class Stranger {
 public:
  Stranger(World& world, VirtualLink& uplink, const Peer& address)
      : world_(world), port_(world.network().open(address, uplink, {})) {}
  void send(Type type, std::uint64_t connection, std::size_t length, ByteView token = {}) {
    std::array<TxFrame, 1> frame;
    REQUIRE(port_->lease(frame) == 1);
    std::fill_n(frame[0].packet, length, std::byte{0});
    write_header(frame[0].packet, {type, 0, static_cast<std::uint16_t>(length), connection, 1, 0});
    if (type == Type::hello && length > kHeader + kTerms + 2) {
      write_terms(frame[0].packet + kHeader, {1472, 100, kMessageWindow});
      store_be(frame[0].packet + kHeader + kTerms, static_cast<std::uint16_t>(token.size()));
      std::ranges::copy(token, frame[0].packet + kHeader + kTerms + 2);
    }
    seal(ByteSpan(frame[0].packet, length));
    frame[0].length = static_cast<std::uint32_t>(length);
    frame[0].to = kServer;
    REQUIRE(port_->send(frame));
    world_.run(world_.now() + kMs, [] { return false; });
  }

 private:
  World& world_;
  std::unique_ptr<Port> port_;
};

TEST_CASE("before an address is proven the server remembers nothing and answers with less than it got") {
  World world;
  VirtualLink link({}, 1);
  Files files(0, 1);
  Server server(world, link, files, {});
  std::map<std::uint32_t, std::uint64_t> to;  // bytes, by address
  std::map<std::uint32_t, std::uint64_t> from;
  std::vector<std::byte> token;
  world.network().watch([&](const VirtualNetwork::Wire& wire) {
    from[wire.from.ip] += wire.packet.size();
    to[wire.to.ip] += wire.packet.size();
    if (const auto header = read_header(wire.packet); header && header->type == Type::retry) {
      token.assign(wire.packet.begin() + kHeader, wire.packet.end());
    }
  });
  Stranger spoofed(world, link, client_address(1));
  for (std::uint64_t id = 1; id < 200; ++id) {
    spoofed.send(Type::hello, id, MtuSearch::kBase);
  }
  CHECK(server.host().empty());
  CHECK(to[client_address(1).ip] <= from[client_address(1).ip]);

  SECTION("a HELLO that is not padded gets no answer") {
    const std::uint64_t before = to[client_address(1).ip];
    spoofed.send(Type::hello, 1, 200);
    CHECK(to[client_address(1).ip] == before);
  }
  SECTION("a token is worth nothing at another address, nor for another connection") {
    spoofed.send(Type::hello, 7, MtuSearch::kBase);
    const auto stolen = token;
    Stranger thief(world, link, client_address(2));
    thief.send(Type::hello, 7, MtuSearch::kBase, stolen);
    spoofed.send(Type::hello, 8, MtuSearch::kBase, stolen);
    CHECK(server.host().empty());
    spoofed.send(Type::hello, 7, MtuSearch::kBase, stolen);
    CHECK_FALSE(server.host().empty());
  }
  SECTION("packets of unknown connections are answered with nothing larger, or not at all") {
    Stranger lost(world, link, client_address(3));
    std::uint64_t answers = 0;
    for (const Type type : {Type::hello, Type::retry, Type::accept, Type::data, Type::message, Type::ack, Type::ping,
                            Type::probe, Type::close}) {
      for (const std::size_t length : {kHeader, kClose - 1, kClose, kDataHeader + 1, std::size_t{MtuSearch::kBase}}) {
        const std::uint64_t before = to[client_address(3).ip];
        lost.send(type, 99, length);
        CAPTURE(static_cast<int>(type), length);
        CHECK(to[client_address(3).ip] - before <= length);
        answers += to[client_address(3).ip] > before ? 1 : 0;
      }
    }
    CHECK(answers == 5 * 3 + 1);  // CLOSE, and RETRY
    CHECK(server.host().empty());
  }
}

TEST_CASE("nobody listens: the client says so in time, by name") {
  World world;
  VirtualLink link({.delay = kMs}, 1);
  World::Machine& machine = world.add(client_address(1), link, {}, {});
  const Time start = world.now();
  const auto connection = machine.host->connect(kServer, start);
  REQUIRE(connection);
  CHECK(world.run(start + 10 * kSecond, [&] { return (*connection)->failure().has_value(); }));
  CHECK((*connection)->failure()->fault == Fault::timeout);
  CHECK((*connection)->failure()->what.find("10.0.0.1:7000") != std::string::npos);
}

}  // namespace
}  // namespace waggle::packet::testing
