// SPDX-License-Identifier: BSD-2-Clause
//
// Whole exchanges over vhost-user. The EAL can be had once per process, and what a killed process leaves is part of
// what is tested: every end runs in a process of its own, and this one never starts the EAL.

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>

#include "base/clock.hpp"
#include "datapaths/packet/dpdk/eal.hpp"
#include "datapaths/packet/dpdk/open.hpp"
#include "datapaths/packet/dpdk/options.hpp"
#include "datapaths/packet/testing/crowd.hpp"
#include "datapaths/packet/testing/wait.hpp"
#include "tests/e2e/ports/dpdk_processes.hpp"

using namespace waggle;
using namespace waggle::packet;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr Peer kServer{.ip = 0x0A4D0001, .port = 7'000};

std::uint64_t used_hugepages() {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  std::uint64_t value = 0;
  std::uint64_t used = 0;
  while (meminfo >> name >> value) {
    used += name == "HugePages_Total:" ? value : name == "HugePages_Free:" ? -value : 0;
    meminfo.ignore(64, '\n');
  }
  return used;
}

std::unique_ptr<Port> open(const ChannelOptions& channel, bool listens) {
  const Endpoint server{"10.77.0.1", kServer.port};
  const auto settings = Settings::of("dpdk", dpdk::option_list(), channel);
  auto ports = dpdk::open_ports({.local = listens ? server : Endpoint{},
                                 .remote = listens ? Endpoint{} : server,
                                 .listens = listens,
                                 .options = channel,
                                 .settings = *settings});
  if (!ports) {
    std::fprintf(stderr, "%s\n", ports.error().text().c_str());
    std::_Exit(2);
  }
  return std::move(ports->front());
}

/// Sends back whatever comes, until it is killed.
bool echo(const ChannelOptions& channel) {
  const auto port = open(channel, true);
  for (;;) {
    RxFrame in[16];
    TxFrame out[16];
    const auto count = port->poll(in);
    if (!count || (*count == 0 && !testing::wait(*port, now_ns() + kSecond))) {
      return false;
    }
    const std::size_t leased = port->lease({out, *count});
    for (std::size_t i = 0; i < leased; ++i) {
      std::memcpy(out[i].packet, in[i].packet, in[i].length);
      out[i].length = in[i].length;
      out[i].to = in[i].from;
    }
    port->release({in, *count});
    for (std::size_t sent = 0; sent < leased;) {
      sent += port->send({out + sent, leased - sent}).value_or(leased);
    }
  }
}

/// Sends packet `number` of a length that follows from it.
std::uint32_t length_of(const Port& port, std::uint32_t number) {
  return number % 7 == 0 ? port.capabilities().packet : 4 + number * 7'919 % (port.capabilities().packet - 4);
}

bool send(Port& port, const Peer& to, std::uint32_t number) {
  TxFrame frame[1];
  if (port.lease(frame) != 1) {
    return false;
  }
  frame->length = length_of(port, number);
  frame->to = to;
  std::memset(frame->packet, static_cast<int>(number), frame->length);
  std::memcpy(frame->packet, &number, sizeof number);
  const bool sent = port.send(frame).value_or(0) == 1;
  if (!sent) {
    port.give_back(frame);
  }
  return sent;
}

bool intact(const Port& port, const RxFrame& frame, std::uint32_t number) {
  bool same = frame.length == length_of(port, number) && frame.from == kServer;
  for (std::size_t i = sizeof number; i < frame.length; ++i) {
    same = same && frame.packet[i] == static_cast<std::byte>(number);
  }
  return same;
}

/// Has `packets` packets sent back, a few at a time, and looks at every byte of them. A port may lose packets: those
/// that are missing when nothing has come for a second are sent again. What came twice is not counted twice.
bool exchange(const ChannelOptions& channel, std::uint32_t packets) {
  constexpr std::uint32_t kWindow = 24;
  const auto port = open(channel, false);
  const Peer to = *port->resolve(kServer, {});
  std::set<std::uint32_t> missing;
  std::uint32_t sent = 0;
  std::uint64_t heard = now_ns();
  const std::uint64_t end = heard + 60 * kSecond;
  while ((sent < packets || !missing.empty()) && now_ns() < end) {
    while (sent < packets && missing.size() < kWindow && send(*port, to, sent)) {
      missing.insert(sent++);
    }
    RxFrame frames[16];
    const auto count = port->poll(frames);
    if (!count || (*count == 0 && !testing::wait(*port, now_ns() + kSecond))) {
      std::fprintf(stderr, "the port has failed\n");
      return false;
    }
    for (std::size_t i = 0; i < *count; ++i) {
      std::uint32_t number = 0;
      std::memcpy(&number, frames[i].packet, sizeof number);
      if (number >= sent || !intact(*port, frames[i], number)) {
        std::fprintf(stderr, "packet %u came back changed\n", number);
        return false;
      }
      missing.erase(number);
    }
    port->release({frames, *count});
    heard = *count > 0 ? now_ns() : heard;
    if (now_ns() - heard > kSecond) {
      std::fprintf(stderr, "%zu packets are sent again, from %u on\n", missing.size(), *missing.begin());
      for (const std::uint32_t number : missing) {
        send(*port, to, number);
      }
      heard = now_ns();
    }
  }
  if (!missing.empty()) {
    std::fprintf(stderr, "%zu packets have not come back, from %u on\n", missing.size(), *missing.begin());
  }
  return sent == packets && missing.empty();
}

void await(const std::function<bool()>& condition) {
  for (int i = 0; i < 1'000 && !condition(); ++i) {
    ::usleep(10'000);
  }
  REQUIRE(condition());
}

}  // namespace

TEST_CASE("packets of all lengths go there and back") {
  const Place place;
  const std::uint64_t before = used_hugepages();
  for (const char* end : {"server", "client"}) {
    for (const char* wait : {"poll", "interrupt"}) {
      INFO("net_vhost at the " << end << ", wait by " << wait);
      const auto channel = place.channel({{"vhost_end", end}, {"wait", wait}});
      place.clear();
      Process server([&] { return echo(channel); });
      await([&] { return place.listening(); });
      CHECK(Process([&] { return exchange(channel, 2'000); }).join());
    }
  }
  await([&] { return used_hugepages() == before; });
}

TEST_CASE("threads share a port at both ends") {
  const Place place;
  for (const char* wait : {"poll", "interrupt", "spin"}) {
    INFO("wait by " << wait);
    const bool spins = std::string_view(wait) == "spin";
    auto channel = place.channel({{"wait", spins ? "poll" : wait}});
    channel.wait = spins ? Wait::spin : Wait::sleep;
    place.clear();
    const Endpoint at{"10.77.0.1", kServer.port};
    Process server([&] {
      const auto listener = (*find_datapath("dpdk"))->listen(at, channel);
      if (listener) {
        packet::testing::serve_crowd(**listener, 6);
      }
      return listener.has_value();
    });
    await([&] { return place.listening(); });
    CHECK(Process([&] {
            const auto connect = [&] { return (*find_datapath("dpdk"))->connect(at, channel); };
            return packet::testing::run_crowd(connect, 6, 100).done == 6;
          }).join());
    CHECK(server.join());
  }
}

TEST_CASE("a listener at a vhost socket says its own address, and that others may reach it past the kernel") {
  const Place place;
  for (const char* host : {"127.0.0.1", "10.77.0.1"}) {
    CAPTURE(host);
    CHECK(Process([&] {
            const auto listener = (*find_datapath("dpdk"))->listen({host, 0}, place.channel({}));
            return listener && (*listener)->past_kernel() && (*listener)->endpoint().host == host;
          }).join());
    place.clear();
  }
}

TEST_CASE("packed rings and frames for O_DIRECT carry the same") {
  const Place place;
  const auto channel = place.channel({{"ring", "packed"}, {"direct", "yes"}});
  Process server([&] { return echo(channel); });
  await([&] { return place.listening(); });
  CHECK(Process([&] {
          const auto port = open(channel, false);
          TxFrame frame[1];
          const bool aligned =
              port->lease(frame) == 1 && reinterpret_cast<std::uintptr_t>(frame->packet + kDataHeader) % 512 == 0;
          port->give_back(frame);
          return aligned;
        }).join());
  CHECK(Process([&] { return exchange(channel, 500); }).join());
}

TEST_CASE("two clients at once, and another after one was killed") {
  const Place place;
  for (const char* end : {"server", "client"}) {
    INFO("net_vhost at the " << end);
    const auto channel = place.channel({{"vhost_end", end}});
    place.clear();
    Process server([&] { return echo(channel); });
    await([&] { return place.listening(); });
    Process killed([&] { return exchange(channel, ~0U); });
    Process other([&] { return exchange(channel, 3'000); });
    CHECK(other.join());
    killed.kill();
    CHECK(Process([&] { return exchange(channel, 500); }).join());
  }
}

// Of net_vhost only: net_virtio_user, which listens with vhost_end=client, may stay in its opening; see docs/dpdk.md.
TEST_CASE("strangers who come to a server's socket and go again keep no client out") {
  const Place place;
  const auto channel = place.channel({{"vhost_end", "server"}});
  Process server([&] { return echo(channel); });
  for (int strangers = 0; strangers < 3; ++strangers) {
    await([&] { return place.knock(); });
  }
  await([&] { return place.listening(); });
  // Who comes while the device is being opened again finds the socket of the one that failed: DPDK then waits for an
  // answer without a bound, and it takes another try.
  bool served = false;
  for (int tries = 0; tries < 3 && !served; ++tries) {
    served = Process([&] { return exchange(channel, 500); }).join_within(25);
  }
  CHECK(served);
}

TEST_CASE("a client whose server is killed goes on and can end") {
  const Place place;
  const std::uint64_t before = used_hugepages();
  for (const char* end : {"server", "client"}) {
    INFO("net_vhost at the " << end);
    const auto channel = place.channel({{"vhost_end", end}});
    place.clear();
    Process server([&] { return echo(channel); });
    await([&] { return place.listening(); });
    int said[2];
    REQUIRE(::pipe(said) == 0);
    Process client([&] {
      const auto port = open(channel, false);
      const Peer to = *port->resolve(kServer, {});
      const bool told = ::write(said[1], "x", 1) == 1;
      for (const std::uint64_t until = now_ns() + kSecond; now_ns() < until;) {
        RxFrame frames[8];
        send(*port, to, 1);
        port->release({frames, port->poll(frames).value_or(0)});
      }
      return told;
    });
    char word = 0;
    REQUIRE(::read(said[0], &word, 1) == 1);
    server.kill();
    CHECK(client.join());
    ::close(said[0]);
    ::close(said[1]);
  }
  await([&] { return used_hugepages() == before; });
}

TEST_CASE("without a server there is an error, not a wait") {
  const Place place;
  const auto channel = place.channel({});
  CHECK(
      Process([&] {
        const auto settings = Settings::of("dpdk", dpdk::option_list(), channel);
        const auto ports = dpdk::open_ports(
            {.local = {}, .remote = {"10.77.0.1", 7'000}, .listens = false, .options = channel, .settings = *settings});
        return !ports && ports.error().fault == Fault::peer_gone;
      }).join());
}

TEST_CASE("what waits for a server ends when it is called off") {
  const Place place;
  std::stop_source stop;
  stop.request_stop();
  // The first finds no socket; the second one whose owner says nothing.
  for (const bool listening : {false, true}) {
    CAPTURE(listening);
    const UniqueFd mute = listening ? place.mute() : UniqueFd();
    ChannelOptions channel = place.channel({{"vhost_end", "client"}});
    channel.cancel = stop.get_token();
    Process client([&] {
      const auto connected = (*find_datapath("dpdk"))->connect({"10.77.0.1", kServer.port}, channel);
      return !connected && connected.error().fault == Fault::cancelled;
    });
    CHECK(client.join());
  }
}
