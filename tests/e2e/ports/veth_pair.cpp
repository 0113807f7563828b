// SPDX-License-Identifier: BSD-2-Clause
#include "tests/e2e/ports/veth_pair.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "base/clock.hpp"
#include "base/testing/require.hpp"
#include "datapaths/packet/afxdp/port.hpp"
#include "datapaths/packet/testing/wait.hpp"
#include "datapaths/packet/udp/port.hpp"

// NOLINTBEGIN(bugprone-chained-comparison): how the macros of Catch2 take an expression apart.

namespace waggle::packet::testing {
namespace {

using Ports = std::vector<std::unique_ptr<Port>>;

std::byte content(std::uint32_t packet, std::size_t at) {
  return static_cast<std::byte>(packet * 31 + at * 7 + (at >> 8));
}

}  // namespace

topology::Link make_link(std::uint32_t mtu) {
  if (const auto available = afxdp_available(); !available) {
    test::cannot_run(available.error());
  }
  auto link = topology::Link::create({.kind = "veth", .mtu = mtu});
  if (!link) {
    test::cannot_run(link.error());
  }
  return std::move(*link);
}

Result<std::unique_ptr<Port>> open(const std::string& kind, const topology::NetworkNamespace& where, Endpoint local,
                                   Endpoint remote, const std::vector<std::string>& settings) {
  ChannelOptions channel;
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    channel.settings[kind + "." + setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  const auto options = kind == "udp" ? udp_options() : afxdp_options();
  WAGGLE_LET(chosen, Settings::of(kind, options, channel));
  const PortRequest request{local, remote, remote.host.empty(), channel, chosen};
  Ports ports;
  WAGGLE_TRY(where.inside([&]() -> Result<> {
    WAGGLE_LET(opened, kind == "udp" ? open_udp_ports(request) : open_afxdp_ports(request));
    ports = std::move(opened);
    return {};
  }));
  return std::move(ports.front());
}

Pair make_pair(const topology::Link& link, const std::string& server, const std::string& client,
               const std::vector<std::string>& server_settings, const std::vector<std::string>& client_settings) {
  Pair pair;
  auto listening = open(server, link.server(), {link.server_address(), 4433}, {}, server_settings);
  INFO((listening ? "" : listening.error().text()));
  REQUIRE(listening);
  pair.server = std::move(*listening);
  auto connecting = open(client, link.client(), {}, {link.server_address(), 4433}, client_settings);
  INFO((connecting ? "" : connecting.error().text()));
  REQUIRE(connecting);
  pair.client = std::move(*connecting);
  const Peer server_peer{ntohl(::inet_addr(link.server_address().c_str())), 4433, {}};
  REQUIRE(link.client().inside([&]() -> Result<> {
    WAGGLE_LET(resolved, pair.client->resolve(server_peer, {}));
    pair.to_server = resolved;
    return {};
  }));
  return pair;
}

void send_burst(Port& port, const Peer& to, std::uint32_t first, std::span<const std::uint32_t> lengths) {
  std::vector<TxFrame> frames(lengths.size());
  const Time limit = now_ns() + kPatience;
  std::size_t leased = 0;
  while (leased < frames.size() && now_ns() < limit) {
    leased += port.lease(std::span(frames).subspan(leased));
  }
  REQUIRE(leased == frames.size());
  for (std::uint32_t index = 0; index < frames.size(); ++index) {
    TxFrame& frame = frames[index];
    CHECK(reinterpret_cast<std::uintptr_t>(frame.packet + kDataHeader) % 512 == 0);
    frame.length = std::min(lengths[index], frame.room);
    frame.to = to;
    const std::uint32_t number = first + index;
    for (std::size_t at = 0; at < frame.length; ++at) {
      frame.packet[at] = content(number, at);
    }
    std::memcpy(frame.packet, &number, sizeof number);
  }
  std::span<const TxFrame> rest = frames;
  while (!rest.empty() && now_ns() < limit) {
    const auto sent = port.send(rest);
    REQUIRE(sent);
    rest = rest.subspan(*sent);
  }
  REQUIRE(rest.empty());
}

Peer receive_burst(Port& port, std::uint32_t first, std::span<const std::uint32_t> lengths) {
  std::vector<bool> seen(lengths.size());
  Peer from;
  const Time limit = now_ns() + kPatience;
  std::size_t got = 0;
  while (got < lengths.size() && now_ns() < limit) {
    std::array<RxFrame, 7> frames;  // fewer than come: what is left over must not be lost
    const auto count = port.poll(frames);
    REQUIRE(count);
    for (const RxFrame& frame : std::span(frames).first(*count)) {
      std::uint32_t number = 0;
      std::memcpy(&number, frame.packet, sizeof number);
      REQUIRE(number - first < lengths.size());
      CHECK_FALSE(seen[number - first]);
      seen[number - first] = true;
      CHECK(frame.length == lengths[number - first]);
      std::size_t wrong = 0;
      for (std::size_t at = sizeof number; at < frame.length; ++at) {
        wrong += frame.packet[at] == content(number, at) ? 0 : 1;
      }
      CHECK(wrong == 0);
      from = frame.from;
      ++got;
    }
    port.release(std::span(frames).first(*count));
    if (*count == 0) {
      REQUIRE(wait(port, limit));
    }
  }
  REQUIRE(got == lengths.size());
  return from;
}

void exchange(Pair& pair, std::uint32_t rounds) {
  std::mt19937 random(7);
  const std::uint32_t most = std::min(pair.server->capabilities().packet, pair.client->capabilities().packet);
  for (std::uint32_t round = 0; round < rounds; ++round) {
    INFO(round);
    std::vector<std::uint32_t> lengths(1 + random() % kMostBurst);
    for (std::uint32_t& length : lengths) {
      // Runs of equal lengths, which segmentation offload can merge, broken by others.
      length = random() % 4 != 0 ? most : static_cast<std::uint32_t>(4 + random() % (most - 4));
    }
    const std::uint32_t first = round * 1000;
    send_burst(*pair.client, pair.to_server, first, lengths);
    const Peer client = receive_burst(*pair.server, first, lengths);
    CHECK(client.port == pair.client->local_port());
    send_burst(*pair.server, client, first, lengths);
    CHECK(receive_burst(*pair.client, first, lengths) == pair.to_server);
  }
}

std::string granted(const Port& port, std::string_view name) {
  const auto modes = port.modes();
  const auto mode = std::ranges::find(modes, name, &Mode::name);
  return mode == modes.end() ? "not stated" : mode->granted;
}

}  // namespace waggle::packet::testing

// NOLINTEND(bugprone-chained-comparison)
