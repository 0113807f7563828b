// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/xdp/impair.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "base/testing/require.hpp"
#include "tests/e2e/impaired_link.hpp"

using namespace waggle;
using namespace waggle::xdp;

namespace {

constexpr std::uint32_t kLoopback = 1;  // where frames of test runs come from

Impairment loaded(const ImpairmentOptions& options) {
  auto made = Impairment::load(kLoopback, options);
  if (!made) {
    test::cannot_run(made.error());
  }
  return std::move(*made);
}

std::uint32_t verdict(const Impairment& link) {
  const std::array<std::byte, 60> frame{};
  bpf_test_run_opts run{.sz = sizeof run};
  run.data_in = frame.data();
  run.data_size_in = static_cast<__u32>(frame.size());
  REQUIRE(bpf_prog_test_run_opts(link.fd(), &run) == 0);
  return run.retval;
}

struct Arrivals {
  std::map<std::uint32_t, unsigned> times;  ///< by number of the datagram
  unsigned overtaken = 0;                   ///< arrived after a later one
};

/// Sends `count` numbered datagrams from client to server, waiting for answers in between so that no queue overflows.
Arrivals send_numbered(const test::ImpairedLink& link, std::uint32_t count) {
  UniqueFd server;
  UniqueFd client;
  sockaddr_in at{.sin_family = AF_INET,
                 .sin_port = htons(4433),
                 .sin_addr = {::inet_addr(link.server_address().c_str())},
                 .sin_zero = {}};
  REQUIRE(link.server().inside([&]() -> Result<> {
    server.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return ::bind(server.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 ? Result<>{} : fail_errno("bind");
  }));
  REQUIRE(link.client().inside([&]() -> Result<> {
    client.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return ::connect(client.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 ? Result<>{}
                                                                                     : fail_errno("connect");
  }));
  const timeval silence{0, 50'000};  // nothing for so long: no more will come
  ::setsockopt(server.get(), SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
  const int room = 8 << 20;
  ::setsockopt(server.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  Arrivals arrivals;
  std::uint32_t latest = 0;
  constexpr std::uint32_t kBurst = 500;
  for (std::uint32_t number = 1; number <= count; ++number) {
    REQUIRE(::send(client.get(), &number, sizeof number, 0) == sizeof number);
    std::uint32_t got = 0;
    while ((number % kBurst == 0 || number == count) && ::recv(server.get(), &got, sizeof got, 0) == sizeof got) {
      ++arrivals.times[got];
      arrivals.overtaken += got < latest ? 1 : 0;
      latest = std::max(latest, got);
    }
  }
  return arrivals;
}

test::ImpairedLink make_link(const ImpairmentOptions& options) {
  auto link = test::ImpairedLink::create(options);
  if (!link) {
    test::cannot_run(link.error());
  }
  return std::move(*link);
}

}  // namespace

TEST_CASE("frames meet the fate that was asked for") {
  CHECK(verdict(loaded({})) == XDP_REDIRECT);
  CHECK(verdict(loaded({.loss = 1000})) == XDP_DROP);
  const auto doubles = loaded({.duplicate = 1000});
  CHECK(verdict(doubles) == XDP_REDIRECT);
  CHECK(doubles.from_first().doubled == 1);
  const auto delays = loaded({.reorder = 1000});
  CHECK(verdict(delays) == XDP_REDIRECT);
  CHECK(delays.from_first().late == 1);
}

TEST_CASE("chances hold in the long run, and a seed repeats them") {
  std::vector<std::vector<std::uint32_t>> sequences;
  for (const std::uint64_t seed : {7U, 7U, 8U}) {
    const auto link = loaded({.loss = 100, .duplicate = 50, .reorder = 20, .seed = seed});
    std::vector<std::uint32_t> verdicts;
    for (int frame = 0; frame < 10'000; ++frame) {
      verdicts.push_back(verdict(link));
    }
    const Fates fates = link.from_first();
    CHECK(fates.passed + fates.lost + fates.doubled + fates.late == 10'000);
    CHECK(fates.lost == Approx(1000).epsilon(0.15));
    CHECK(fates.doubled == Approx(450).epsilon(0.2));
    CHECK(fates.late == Approx(171).epsilon(0.3));
    sequences.push_back(std::move(verdicts));
  }
  CHECK(sequences[0] == sequences[1]);
  CHECK(sequences[0] != sequences[2]);
}

TEST_CASE("a good link delivers everything once and in order") {
  const auto link = make_link({});
  const Arrivals arrivals = send_numbered(link, 2000);
  CHECK(arrivals.times.size() == 2000);
  CHECK(arrivals.overtaken == 0);
  CHECK(link.to_server().lost == 0);
}

TEST_CASE("a bad link loses, doubles and delays between two hosts") {
  const auto link = make_link({.loss = 100, .duplicate = 100, .reorder = 100, .seed = 3});
  const Arrivals arrivals = send_numbered(link, 5000);
  const Fates fates = link.to_server();
  INFO("lost " << fates.lost << ", doubled " << fates.doubled << ", late " << fates.late);
  CHECK(arrivals.times.size() == Approx(4500).epsilon(0.05));
  const auto doubled = std::ranges::count_if(arrivals.times, [](const auto& each) { return each.second == 2; });
  CHECK(doubled == Approx(450).epsilon(0.25));
  CHECK(std::ranges::all_of(arrivals.times, [](const auto& each) { return each.second <= 2; }));
  CHECK(arrivals.overtaken > 10);
  CHECK(fates.late > 300);
}
