// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/udp/port.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <optional>

#include "datapaths/packet/testing/loopback.hpp"
#include "datapaths/packet/udp/receiver.hpp"
#include "datapaths/packet/udp/sender.hpp"
#include "datapaths/testing/pair.hpp"

/// What a UDP port makes of errors, on the loopback interface. tests/e2e/router_test.py brings those of a path.
namespace waggle::packet {
namespace {

using test::must;

constexpr std::uint32_t kHere = 0x7f000001;

Settings settings(std::vector<std::pair<std::string, std::string>> values = {}) {
  ChannelOptions options;
  for (auto& [name, value] : values) {
    options.settings.insert_or_assign("udp." + name, std::move(value));
  }
  return must(Settings::of("udp", udp_options(), options));
}

/// A socket that listens, or with a `server` one that is connected to it.
UdpSocket open(const Settings& settings, std::uint16_t server = 0) {
  return must(open_udp_socket({.local = {"127.0.0.1", 0},
                               .remote = {server != 0 ? "127.0.0.1" : "", server},
                               .listens = server == 0,
                               .options = kLoopback,
                               .settings = settings},
                              0, false));
}

/// Sends `count` packets of 1,200 bytes in one burst.
Result<std::size_t> send(UdpSender& sender, const Peer& to, std::size_t count = 1) {
  std::array<TxFrame, kMostBurst> frames;
  REQUIRE(sender.lease(std::span(frames).first(count)) == count);
  for (TxFrame& frame : std::span(frames).first(count)) {
    frame.length = 1200;
    frame.to = to;
  }
  return sender.send(std::span(frames).first(count));
}

/// Polls until a frame comes; loopback delivers before the sender's call returns.
std::size_t receive(UdpReceiver& receiver) {
  std::array<RxFrame, kMostBurst> frames;
  const std::size_t count = must(receiver.poll(frames));
  receiver.release(std::span(frames).first(count));
  return count;
}

/// A port that nobody listens at.
std::uint16_t closed_port() {
  return open(settings()).local.port;
}

}  // namespace

TEST_CASE("a destination that the kernel refuses loses its packets and nothing else") {
  const auto listens = open(settings());
  const auto sends = open(settings());
  const auto sender = must(UdpSender::create(sends));
  const auto receiver = must(UdpReceiver::create(listens));
  const Peer good{kHere, listens.local.port, {}};
  // Port 0, which somebody may write into a packet that wants an answer (EINVAL); a broadcast address (EACCES); one to
  // which a loopback address cannot send.
  const std::array<Peer, 3> bad = {Peer{kHere, 0, {}}, Peer{0x7fffffff, 9, {}}, Peer{0xffffffff, 9, {}}};
  for (const Peer& peer : bad) {
    for (const std::size_t count : {1U, 5U}) {
      INFO(peer.ip << ":" << peer.port << ", " << count << " packets");
      const std::uint64_t before = sender->counters().at("tx_refused");
      CHECK(must(send(*sender, peer, count)) == count);
      CHECK(sender->counters().at("tx_refused") == before + count);
      CHECK(must(send(*sender, good, count)) == count);
      std::size_t came = 0;
      while (const std::size_t some = receive(*receiver)) {
        came += some;
      }
      CHECK(came == count);
    }
  }
  CHECK(sender->counters().at("gso_refused") == 0);
}

TEST_CASE("all frames of a refused burst can be leased again") {
  const auto sends = open(settings());
  const auto sender = must(UdpSender::create(sends));
  for (std::size_t i = 0; i < 3 * UdpSender::kFrames / kMostBurst; ++i) {
    CHECK(must(send(*sender, {kHere, 0, {}}, kMostBurst)) == kMostBurst);
  }
}

TEST_CASE("segmentation that the kernel refuses later is done without, unless it was demanded") {
  const auto listens = open(settings());
  const auto receiver = must(UdpReceiver::create(listens));
  const Peer good{kHere, listens.local.port, {}};
  for (const std::string wish : {"auto", "yes"}) {
    INFO("gso=" << wish);
    const auto sends = open(settings({{"gso", wish}}), listens.local.port);
    REQUIRE(sends.gso);
    const auto sender = must(UdpSender::create(sends));
    REQUIRE(must(send(*sender, good, 8)) == 8);
    CHECK(sender->counters().at("tx_messages") == 1);
    // The kernel segments nothing without checksums (EINVAL). Other reasons come with routes and devices.
    const int yes = 1;
    REQUIRE(::setsockopt(sends.fd.get(), SOL_SOCKET, SO_NO_CHECK, &yes, sizeof yes) == 0);
    const auto sent = send(*sender, good, 8);
    if (wish == "yes") {
      REQUIRE_FALSE(sent);
      CHECK(sent.error().fault == Fault::missing);
      continue;
    }
    CHECK(must(sent) == 8);
    CHECK_FALSE(sender->segments());
    CHECK(sender->counters().at("gso_refused") == 1);
    CHECK(sender->counters().at("tx_refused") == 0);
    CHECK(sender->counters().at("frames_sent") == 16);
    CHECK(must(send(*sender, good, 8)) == 8);
    CHECK(sender->counters().at("tx_messages") == 1 + 8 + 8);
  }
}

TEST_CASE("a listener says where it really sits, not what was asked for") {
  for (const auto& [asked, got] : {std::pair{"localhost", "127.0.0.1"}, {"127.1.2.3", "127.1.2.3"}, {"", "0.0.0.0"}}) {
    const auto listener = must(must(find_datapath("udp"))->listen({asked, 0}, kLoopback));
    CHECK(listener->endpoint().host == got);
    CHECK(listener->endpoint().port != 0);
    CHECK_FALSE(listener->past_kernel());
  }
}

TEST_CASE("the mode of a port says that it segments no more") {
  const Settings defaults = settings();
  auto ports = must(open_udp_ports(
      {.local = {"127.0.0.1", 0}, .remote = {}, .listens = true, .options = kLoopback, .settings = defaults}));
  const auto mode = [&] {
    const auto modes = ports.front()->modes();
    return *std::ranges::find(modes, "gso", &Mode::name);
  };
  CHECK(mode().requested == "auto");
  CHECK(mode().granted == "yes");
  const int yes = 1;
  const int fd = must(ports.front()->arm(0)).fd;
  REQUIRE(::setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &yes, sizeof yes) == 0);
  std::array<TxFrame, 2> frames;
  REQUIRE(ports.front()->lease(frames) == 2);
  for (TxFrame& frame : frames) {
    frame.length = 100;
    frame.to = {kHere, ports.front()->local_port(), {}};
  }
  CHECK(must(ports.front()->send(frames)) == 2);
  CHECK(mode().granted == "no");
  CHECK(ports.front()->counters().at("gso_refused") == 1);
}

TEST_CASE("whoever never answered and refuses is not there") {
  const auto client = open(settings(), closed_port());
  const auto sender = must(UdpSender::create(client));
  const auto receiver = must(UdpReceiver::create(client));
  Result<std::size_t> last{0};
  std::array<RxFrame, 1> frames;
  for (int tries = 0; tries < 10 && last; ++tries) {
    REQUIRE(send(*sender, client.remote));
    last = receiver->poll(frames);
  }
  REQUIRE_FALSE(last);
  CHECK(last.error().fault == Fault::peer_gone);
  CHECK(last.error().text().find("nobody listens") != std::string::npos);
}

TEST_CASE("a refusal ends no port that has heard its server") {
  std::optional<UdpSocket> server = open(settings());
  const auto client = open(settings(), server->local.port);
  const auto sender = must(UdpSender::create(client));
  const auto receiver = must(UdpReceiver::create(client));
  const auto answers = must(UdpSender::create(*server));
  REQUIRE(send(*answers, {kHere, client.local.port, {}}));
  REQUIRE(receive(*receiver) == 1);
  server.reset();
  for (int packet = 0; packet < 20; ++packet) {
    CHECK(must(send(*sender, client.remote)) == 1);
    CHECK(receive(*receiver) == 0);
  }
  CHECK(receiver->counters().at("connection_refused") + sender->counters().at("tx_hints") == 20);
  // Nothing was kept back, and nothing is tried for ever: what the socket said of an earlier packet costs one more
  // call.
  CHECK(sender->counters().at("frames_sent") + sender->counters().at("tx_refused") == 20);
}

TEST_CASE("a refusal that a send is told of does not cost its packet") {
  std::optional<UdpSocket> server = open(settings());
  const auto port = server->local.port;
  const auto client = open(settings(), port);
  const auto sender = must(UdpSender::create(client));
  server.reset();
  CHECK(must(send(*sender, client.remote)) == 1);
  CHECK(must(send(*sender, client.remote)) == 1);
  CHECK(sender->counters().at("tx_hints") == 1);
  CHECK(sender->counters().at("frames_sent") == 2);
}

TEST_CASE("segmentation that nobody asked for goes where checksums are not wanted") {
  CHECK_FALSE(open(settings({{"udp_checksum", "no"}})).gso);
}

}  // namespace waggle::packet
