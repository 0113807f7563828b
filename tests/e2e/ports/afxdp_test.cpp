// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/testing/require.hpp"
#include "datapaths/packet/afxdp/port.hpp"
#include "datapaths/packet/afxdp/queue.hpp"
#include "datapaths/packet/route.hpp"
#include "datapaths/packet/testing/crowd.hpp"
#include "datapaths/packet/testing/wait.hpp"
#include "datapaths/packet/udp/port.hpp"
#include "harness/topology/link.hpp"
#include "tests/e2e/ports/veth_pair.hpp"

using namespace waggle;
using namespace waggle::packet;
using namespace waggle::packet::testing;

namespace {

constexpr MacAddress kFarMac{2, 0, 0, 0, 0, 9};

/// A host at `ip`, behind `device` of the calling thread's namespace, that hears only every `nth` question by ARP.
void answer_arp(const std::string& device, std::uint32_t ip, int nth, const std::stop_token& stop) {
  const UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ARP)));
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(ETH_P_ARP);
  at.sll_ifindex = static_cast<int>(::if_nametoindex(device.c_str()));
  static_cast<void>(::bind(socket.get(), reinterpret_cast<sockaddr*>(&at), sizeof at));
  for (int heard = 0; !stop.stop_requested();) {
    pollfd ready{socket.get(), POLLIN, 0};
    struct {
      ether_header ethernet;
      ether_arp arp;
    } frame{};
    const std::uint32_t wanted = htonl(ip);
    if (::poll(&ready, 1, 20) != 1 || ::recv(socket.get(), &frame, sizeof frame, 0) < 0 ||
        frame.arp.ea_hdr.ar_op != htons(ARPOP_REQUEST) || std::memcmp(frame.arp.arp_tpa, &wanted, 4) != 0 ||
        ++heard % nth != 0) {
      continue;
    }
    frame.arp.ea_hdr.ar_op = htons(ARPOP_REPLY);
    std::memcpy(frame.ethernet.ether_dhost, frame.arp.arp_sha, 6);
    std::memcpy(frame.arp.arp_tha, frame.arp.arp_sha, 6);
    std::memcpy(frame.arp.arp_tpa, frame.arp.arp_spa, 4);
    std::memcpy(frame.ethernet.ether_shost, kFarMac.data(), 6);
    std::memcpy(frame.arp.arp_sha, kFarMac.data(), 6);
    std::memcpy(frame.arp.arp_spa, &wanted, 4);
    static_cast<void>(::send(socket.get(), &frame, sizeof frame, 0));
  }
}

/// Sends one echo request and waits for the answer.
bool ping(const topology::NetworkNamespace& where, const std::string& address) {
  return where
      .inside([&]() -> Result<> {
        const UniqueFd socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
        const timeval limit{2, 0};
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in to{
            .sin_family = AF_INET, .sin_port = 0, .sin_addr = {::inet_addr(address.c_str())}, .sin_zero = {}};
        icmphdr request{};
        request.type = ICMP_ECHO;
        request.checksum = static_cast<std::uint16_t>(~htons(ICMP_ECHO << 8));
        ::sendto(socket.get(), &request, sizeof request, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
        std::array<char, 256> answer;
        return ::recv(socket.get(), answer.data(), answer.size(), 0) > 0 ? Result<>{} : fail_errno("no answer");
      })
      .has_value();
}

bool program_attached(const topology::NetworkNamespace& where, const std::string& device) {
  std::uint32_t id = 0;
  REQUIRE(where.inside([&]() -> Result<> {
    return bpf_xdp_query_id(static_cast<int>(::if_nametoindex(device.c_str())), 0, &id) == 0 ? Result<>{}
                                                                                             : fail_errno("query");
  }));
  return id != 0;
}

}  // namespace

TEST_CASE("modes of afxdp are granted and carry frames") {
  const auto link = make_link();
  const std::vector<std::vector<std::string>> choices = {{"mode=generic"},
                                                         {"need_wakeup=no"},
                                                         {"zero_copy=no", "frame=4096"},
                                                         {"udp_checksum=yes"},
                                                         {"rx_ring=64", "tx_ring=128"},
                                                         {"busy_poll=20"}};
  for (const auto& settings : choices) {
    INFO(settings.front());
    Pair pair = make_pair(link, "afxdp", "afxdp", settings, settings);
    exchange(pair, 20);
    CHECK(granted(*pair.server, "xdp") == (settings.front() == "mode=generic" ? "generic" : "native"));
    CHECK(granted(*pair.server, "zero_copy") == "no");
  }
}

TEST_CASE("frames are as large as a page allows") {
  const auto link = make_link(3400);
  Pair pair = make_pair(link, "afxdp", "udp");
  CHECK(pair.server->capabilities().packet == 3372);
  exchange(pair, 50);
}

TEST_CASE("frames over several chunks carry jumbo packets") {
  auto link = make_link(9000);
  Pair pair = make_pair(link, "afxdp", "afxdp", {"multi_buffer=yes"}, {"multi_buffer=yes"});
  CHECK(pair.server->capabilities().packet == 8972);
  exchange(pair, 50);
  pair = {};
  // Without, packets are as large as one chunk holds.
  pair = make_pair(link, "afxdp", "afxdp");
  CHECK(pair.server->capabilities().packet == 3632);
  exchange(pair, 20);
}

TEST_CASE("while afxdp is attached the rest of the network works, and afterwards nothing is left") {
  const auto link = make_link();
  {
    Pair pair = make_pair(link, "afxdp", "afxdp");
    CHECK(program_attached(link.server(), link.device()));
    CHECK(ping(link.client(), link.server_address()));
    CHECK(ping(link.server(), link.client_address()));
  }
  CHECK_FALSE(program_attached(link.server(), link.device()));
  CHECK_FALSE(program_attached(link.client(), link.device()));
}

TEST_CASE("a killed process leaves no program") {
  const auto link = make_link();
  std::array<int, 2> ready;
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto port = open("afxdp", link.server(), {link.server_address(), 4433}, {});
    static_cast<void>(!::write(ready[1], port ? "y" : "n", 1));
    ::pause();
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK(program_attached(link.server(), link.device()));
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK_FALSE(program_attached(link.server(), link.device()));
}

TEST_CASE("what cannot be granted is one clear error") {
  const auto link = make_link();
  const Endpoint here{link.server_address(), 4433};
  const auto first = open("afxdp", link.server(), here, {});
  REQUIRE(first);
  CHECK(open("udp", link.server(), here, {}).error().fault == Fault::busy);
  CHECK(open("afxdp", link.server(), here, {}).error().fault == Fault::busy);
  const auto second = open("afxdp", link.server(), {link.server_address(), 4434}, {});
  REQUIRE_FALSE(second);
  INFO(second.error().text());
  CHECK(exit_code(second.error()) == 3);
  CHECK(second.error().text().find("already") != std::string::npos);
  CHECK(second.error().text().find('\n') == std::string::npos);
  const auto zero_copy = open("afxdp", link.client(), {link.client_address(), 0}, {}, {"zero_copy=yes"});
  REQUIRE_FALSE(zero_copy);
  CHECK(exit_code(zero_copy.error()) == 3);
  CHECK(open("afxdp", link.client(), {link.client_address(), 0}, {}, {"mode=wrong"}).error().fault == Fault::usage);
  CHECK(open("afxdp", link.client(), {"192.0.2.1", 0}, {}).error().fault == Fault::usage);
  const auto small = make_link(1200);
  const auto too_small = open("afxdp", small.server(), {small.server_address(), 4433}, {});
  REQUIRE_FALSE(too_small);
  CHECK(exit_code(too_small.error()) == 3);
}

TEST_CASE("a client of nobody is told that the peer is gone") {
  const auto link = make_link();
  const auto client = open("udp", link.client(), {}, {link.server_address(), 4433});
  REQUIRE(client);
  Result<std::size_t> polled = 0;
  const Time limit = now_ns() + kPatience;
  while (polled && now_ns() < limit) {
    const std::array<std::uint32_t, 1> lengths{100};
    send_burst(**client, {ntohl(::inet_addr(link.server_address().c_str())), 4433, {}}, 0, lengths);
    std::array<RxFrame, 1> frames;
    polled = (*client)->poll(frames);
  }
  REQUIRE_FALSE(polled);
  CHECK(polled.error().fault == Fault::peer_gone);
}

TEST_CASE("what waits before a handshake ends when it is called off") {
  const topology::Link link = make_link();
  std::stop_source stop;
  stop.request_stop();
  const auto server = open("afxdp", link.server(), {link.server_address(), 4433}, {});
  REQUIRE(server);
  REQUIRE(link.server().inside([&]() -> Result<> {
    // An address in the network of the link that nobody has.
    REQUIRE(std::system(("ip address add 10.99.0.1/24 dev " + link.device()).c_str()) == 0);
    WAGGLE_LET(route, route_to(0x0A630007));
    const auto asked = neighbour(route.interface, route.next_hop, stop.get_token(), std::chrono::hours(1));
    CHECK((!asked && asked.error().fault == Fault::cancelled));
    const auto taken = Queue::open({.interface = link.device()}, stop.get_token());
    CHECK((!taken && taken.error().fault == Fault::cancelled));
    return {};
  }));
}

TEST_CASE("a neighbour is found though more questions are lost than the kernel asks at a time") {
  const topology::Link link = make_link();
  constexpr int kAnswered = 5;  // the kernel gives up after three
  std::jthread far([&](const std::stop_token& stop) {
    static_cast<void>(link.client().inside([&]() -> Result<> {
      answer_arp(link.device(), 0x0A630007, kAnswered, stop);
      return {};
    }));
  });
  REQUIRE(link.server().inside([&]() -> Result<> {
    REQUIRE(std::system(("ip address add 10.99.0.1/24 dev " + link.device()).c_str()) == 0);
    // Ten times faster than by default, for both what is asked and what is given up.
    REQUIRE(std::ofstream("/proc/sys/net/ipv4/neigh/" + link.device() + "/retrans_time_ms") << 100 << std::flush);
    WAGGLE_LET(route, route_to(0x0A630007));
    const auto asked = neighbour(route.interface, route.next_hop, {}, std::chrono::seconds(30));
    INFO((asked ? "" : asked.error().text()));
    REQUIRE(asked);
    CHECK(*asked == kFarMac);
    return {};
  }));
  // By default the kernel asks at 0, 1 and 2 seconds.
  CHECK(kNeighbourPatience > std::chrono::seconds(3));
}

TEST_CASE("threads share a port at both ends") {
  const auto link = make_link();
  const Datapath* const afxdp = *find_datapath("afxdp");
  for (const Wait wait : {Wait::sleep, Wait::spin}) {
    INFO("spinning: " << (wait == Wait::spin));
    const ChannelOptions options{.wait = wait, .link = "veth"};
    std::unique_ptr<Listener> listener;
    REQUIRE(link.server().inside([&]() -> Result<> {
      WAGGLE_LET(made, afxdp->listen({link.server_address(), 4433}, options));
      listener = std::move(made);
      return {};
    }));
    std::thread serving([&] { packet::testing::serve_crowd(*listener, 8); });
    const auto connect = [&]() -> Result<std::unique_ptr<Channel>> {
      std::unique_ptr<Channel> channel;
      WAGGLE_TRY(link.client().inside([&]() -> Result<> {
        WAGGLE_LET(made, afxdp->connect(listener->endpoint(), options));
        channel = std::move(made);
        return {};
      }));
      return channel;
    };
    const auto crowd = packet::testing::run_crowd(connect, 8, wait == Wait::spin ? 50 : 200);
    CHECK(crowd.done == 8);
    serving.join();
  }
}

TEST_CASE("a device that is down loses packets and no port; one that is gone takes its port along") {
  const auto link = make_link();
  Pair pair = make_pair(link, "afxdp", "afxdp");
  // A child of the thread is in the thread's network namespace.
  const auto ip_link = [&](const std::string& what) {
    REQUIRE(link.client().inside([&]() -> Result<> {
      return std::system(("ip link " + what).c_str()) == 0 ? Result<>{} : fail(Fault::io, what);
    }));
  };
  const auto send_one = [&](std::uint32_t number) {
    const std::array<std::uint32_t, 1> lengths{100};
    send_burst(*pair.client, pair.to_server, number, lengths);
  };
  ip_link("set " + link.device() + " down");
  std::array<RxFrame, 8> frames;
  for (std::uint32_t number = 0; number < 2 * kMostBurst; ++number) {
    send_one(number);
    REQUIRE(pair.client->poll(frames));
  }
  const auto counters = pair.client->counters();
  CHECK(counters.at("device_errors") > 0);
  CHECK(counters.at("tx_dropped") > kMostBurst);
  CHECK(pair.client->due() < now_ns() + kPatience);
  ip_link("set " + link.device() + " up");
  bool came = false;
  const Time limit = now_ns() + kPatience;
  for (std::uint32_t number = 1000; !came && now_ns() < limit; ++number) {
    send_one(number);  // the link needs a moment
    REQUIRE(testing::wait(*pair.server, now_ns() + 10'000'000));
    const auto count = pair.server->poll(frames);
    REQUIRE(count);
    for (const RxFrame& frame : std::span(frames).first(*count)) {
      std::uint32_t got = 0;
      std::memcpy(&got, frame.packet, sizeof got);
      came = came || got >= 1000;
    }
    pair.server->release(std::span(frames).first(*count));
  }
  CHECK(came);
  CHECK(pair.client->counters().at("device_errors") >= counters.at("device_errors"));

  ip_link("delete " + link.device());
  TxFrame frame;
  REQUIRE(pair.client->lease({&frame, 1}) == 1);
  frame.length = 100;
  frame.to = pair.to_server;
  Result<std::size_t> sent{0};
  REQUIRE(link.client().inside([&]() -> Result<> {
    for (int tries = 0; tries < 3 && sent; ++tries) {
      sent = pair.client->send({&frame, 1});
    }
    return {};
  }));
  REQUIRE_FALSE(sent);
  CHECK(sent.error().text().find("is no more") != std::string::npos);
  // Who only waits hears of it, too.
  Result<> waited;
  for (const Time end = now_ns() + kPatience; waited && now_ns() < end;) {
    waited = testing::wait(*pair.server, end);
  }
  REQUIRE_FALSE(waited);
  CHECK(waited.error().text().find("is no more") != std::string::npos);
}
