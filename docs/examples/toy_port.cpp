// SPDX-License-Identifier: BSD-2-Clause
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/tally.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/port.hpp"
#include "datapaths/packet/route.hpp"

namespace waggle::packet {
namespace {

constexpr std::uint32_t kToyPacket = 1472;  // bytes: what an MTU of 1,500 leaves

/// Memory for frames, and which of them are free.
class ToyFrames {
 public:
  explicit ToyFrames(std::size_t count) : frames_(count) {
    for (std::uint64_t handle = count; handle-- > 0;) {
      free_.push_back(handle);
    }
  }
  bool empty() const { return free_.empty(); }
  std::uint64_t take() {
    const std::uint64_t handle = free_.back();
    free_.pop_back();
    return handle;
  }
  void put(std::uint64_t handle) { free_.push_back(handle); }
  std::byte* packet(std::uint64_t handle) { return frames_[handle].packet.data(); }

 private:
  struct alignas(64) Frame {
    std::array<std::byte, 64 - kDataHeader> before;  // so that payload is aligned
    std::array<std::byte, kToyPacket> packet;
  };
  std::vector<Frame> frames_;
  std::vector<std::uint64_t> free_;
};

/// A whole packet datapath: a UDP socket, one system call per packet. Copied to datapaths/packet/ and named in the
/// meson.build there, it can be listed, run, compared and is tested, with no other edit, and talks to all other ports.
class ToyPort final : public Port {
 public:
  ToyPort(UniqueFd socket, const Peer& local) : socket_(std::move(socket)), local_(local) {}

  Capabilities capabilities() const override {
    // The kernel charges a packet that waits for more than it holds.
    int bytes = 0;
    socklen_t size = sizeof bytes;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &size);
    return {.packet = kToyPacket,
            .rx_capacity = static_cast<std::uint32_t>(std::max(1, bytes / 4608)),
            .tx_capacity = kFrames};
  }
  Peer local() const override { return local_; }

  std::size_t lease(std::span<TxFrame> frames) override {
    std::size_t count = 0;
    for (; count < frames.size() && !tx_.empty(); ++count) {
      const std::uint64_t handle = tx_.take();
      frames[count] = {.packet = tx_.packet(handle), .room = kToyPacket, .handle = handle};
    }
    return count;
  }
  Result<std::size_t> send(std::span<const TxFrame> frames) override {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const sockaddr_in to = address(frames[i].to.ip, frames[i].to.port);
      if (::sendto(socket_.get(), frames[i].packet, frames[i].length, 0, reinterpret_cast<const sockaddr*>(&to),
                   sizeof to) >= 0) {
        ++sent_;
      } else if (errno == EAGAIN) {
        return i;
      } else {
        ++lost_;  // as on the wire: the transport finds out
      }
      tx_.put(frames[i].handle);
    }
    return frames.size();
  }
  void give_back(std::span<const TxFrame> frames) override {
    for (const TxFrame& frame : frames) {
      tx_.put(frame.handle);
    }
  }
  void reclaim() override {}  // what was sent is free at once

  Result<std::size_t> poll(std::span<RxFrame> frames) override {
    std::size_t count = 0;
    while (count < frames.size() && !rx_.empty()) {
      const std::uint64_t handle = rx_.take();
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const auto got = ::recvfrom(socket_.get(), rx_.packet(handle), kToyPacket, MSG_TRUNC,
                                  reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0 || got > kToyPacket) {  // nothing there, or nothing of ours
        rx_.put(handle);
        if (got < 0) {
          break;
        }
        continue;
      }
      ++received_;
      frames[count++] = {.packet = rx_.packet(handle),
                         .length = static_cast<std::uint32_t>(got),
                         .handle = handle,
                         .from = {ntohl(from.sin_addr.s_addr), ntohs(from.sin_port), {}}};
    }
    return count;
  }
  void release(std::span<const RxFrame> frames) override {
    for (const RxFrame& frame : frames) {
      rx_.put(frame.handle);
    }
  }

  Result<Watch> arm(Time deadline) override { return Watch{socket_.get(), POLLIN, deadline}; }
  Result<Peer> resolve(Peer peer, const std::stop_token&) override { return peer; }
  std::vector<Mode> modes() const override { return {}; }
  Counters counters() const override {
    return {{"frames_sent", sent_}, {"frames_received", received_}, {"tx_refused", lost_}};
  }

  static sockaddr_in address(std::uint32_t ip, std::uint16_t port) {
    return {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(ip)}, .sin_zero = {}};
  }

 private:
  static constexpr std::size_t kFrames = 4 * kMostBurst;
  UniqueFd socket_;
  Peer local_;
  ToyFrames tx_{kFrames};
  ToyFrames rx_{kFrames};
  Tally sent_, received_, lost_;
};

Result<std::vector<std::unique_ptr<Port>>> open_toy(const PortRequest& request) {
  std::uint32_t ip = 0;
  if (!request.local.host.empty()) {
    WAGGLE_LET(named, ipv4_of(request.local.host, request.options.cancel));
    ip = named;
  }
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in at = ToyPort::address(ip, request.local.port);
  socklen_t size = sizeof at;
  const int probe = IP_PMTUDISC_PROBE;  // the transport searches the path MTU itself
  if (!socket || ::setsockopt(socket.get(), IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    return fail_errno("cannot set up a UDP socket");
  }
  const Peer local{ntohl(at.sin_addr.s_addr), ntohs(at.sin_port), {}};
  std::vector<std::unique_ptr<Port>> ports;
  ports.push_back(std::make_unique<ToyPort>(std::move(socket), local));
  return ports;
}

CopyModel toy_copies(Side side, const PortUse&) {
  return side == Side::sender ? CopyModel{1, 0, "sendto: frame -> skb"} : CopyModel{1, 0, "recvfrom: skb -> frame"};
}

const Registration toy_registration = add_port({.name = "toy_port",
                                                .summary = "an example: one system call per packet",
                                                .links = {"veth", "loopback", "nic"},
                                                .copies = toy_copies},
                                               open_toy);

}  // namespace
}  // namespace waggle::packet
