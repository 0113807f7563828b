// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/afxdp/program.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <vector>

#include "base/testing/require.hpp"
#include "datapaths/packet/afxdp/port.hpp"

using namespace waggle;
using namespace waggle::packet;

namespace {

const Station kLocal{{2, 0, 0, 0, 0, 1}, 0x0A4D0001, 4433};
const Station kFar{{2, 0, 0, 0, 0, 2}, 0x0A4D0002, 5001};

std::vector<std::byte> frame_to(const Station& to, std::uint32_t length) {
  std::vector<std::byte> frame(kFrameHeaders + length);
  write_headers(frame.data() + kFrameHeaders, length, kFar, Peer{to.ip, to.port, to.mac}, UdpChecksum::none);
  return frame;
}

std::uint32_t verdict(const RedirectProgram& program, const std::vector<std::byte>& frame) {
  bpf_test_run_opts run{.sz = sizeof run};
  run.data_in = frame.data();
  run.data_size_in = static_cast<__u32>(frame.size());
  INFO(frame.size());
  REQUIRE(bpf_prog_test_run_opts(program.fd(), &run) == 0);
  return run.retval;
}

/// With an AF_XDP socket in the map for queue 0, the only one that test runs know.
RedirectProgram loaded(bool fragments, UniqueFd& socket) {
  const auto available = afxdp_available();
  if (!available) {
    test::cannot_run(available.error());
  }
  auto program = RedirectProgram::load(kLocal, fragments);
  REQUIRE(program);
  socket.reset(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  REQUIRE(program->add(0, socket.get()));
  return std::move(*program);
}

}  // namespace

TEST_CASE("only our UDP port is redirected") {
  for (const bool fragments : {false, true}) {
    INFO(fragments);
    UniqueFd socket;
    const RedirectProgram program = loaded(fragments, socket);
    for (const std::uint32_t length : {0U, 1U, 1200U, 1472U}) {
      CHECK(verdict(program, frame_to(kLocal, length)) == XDP_REDIRECT);
    }
    Station other = kLocal;
    ++other.port;
    CHECK(verdict(program, frame_to(other, 1200)) == XDP_PASS);
    other = kLocal;
    ++other.ip;  // a router's transit traffic
    CHECK(verdict(program, frame_to(other, 1200)) == XDP_PASS);
  }
}

TEST_CASE("what is no whole UDP packet over IPv4 is left to the kernel") {
  UniqueFd socket;
  const RedirectProgram program = loaded(false, socket);
  struct Change {
    const char* what;
    std::size_t at;
    unsigned value;
  };
  const std::vector<Change> changes = {{"ARP", 13, 6},    {"IPv6", 14, 0x65},           {"IP options", 14, 0x46},
                                       {"TCP", 23, 6},    {"first fragment", 20, 0x20}, {"later fragment", 21, 1},
                                       {"VLAN", 12, 0x81}};
  for (const Change& change : changes) {
    INFO(change.what);
    auto frame = frame_to(kLocal, 100);
    frame[change.at] = static_cast<std::byte>(change.value);
    CHECK(verdict(program, frame) == XDP_PASS);
  }
  for (std::size_t length = 14; length < kFrameHeaders; ++length) {
    auto frame = frame_to(kLocal, 0);
    frame.resize(length);
    CHECK(verdict(program, frame) == XDP_PASS);
  }
}

TEST_CASE("without a socket for the queue everything is left to the kernel") {
  UniqueFd socket;
  static_cast<void>(loaded(false, socket));
  const auto program = RedirectProgram::load(kLocal, false);
  REQUIRE(program);
  CHECK(verdict(*program, frame_to(kLocal, 1200)) == XDP_PASS);
}
