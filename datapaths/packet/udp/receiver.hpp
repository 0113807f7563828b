// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/tally.hpp"
#include "datapaths/packet/slab.hpp"
#include "datapaths/packet/udp/socket.hpp"

namespace waggle::packet {

/// The receiving half of a UDP port: recvmmsg into buffers, and with UDP_GRO many packets of one peer in one buffer,
/// carved into frames. A buffer is free again when all of its frames were released.
class UdpReceiver {
 public:
  static Result<std::unique_ptr<UdpReceiver>> create(const UdpSocket& socket);

  /// Fault::peer_gone when the peer of a connected socket has only ever refused.
  Result<std::size_t> poll(std::span<RxFrame> frames);
  void release(std::span<const RxFrame> frames);
  /// Frames that poll() can bring without asking the kernel.
  bool pending() const { return next_ != filled_; }
  Counters counters() const;

 private:
  static constexpr std::size_t kMessages = kMostBurst;
  /// Messages of one call when the last ones held many packets each: more would only push each other out of the cache.
  static constexpr std::size_t kMergedMessages = 4;
  /// One may be about a server that has just gone, whose port another has taken since.
  static constexpr unsigned kRefusals = 3;

  struct Message {
    std::uint32_t buffer = 0;
    std::uint32_t length = 0;
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    Peer from;
  };
  struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes;
  };

  UdpReceiver(const UdpSocket& socket, Slab slab);
  Result<> receive(std::size_t wanted);
  Result<> told(int error);
  void note(const mmsghdr& message, std::size_t index);
  std::size_t carve(std::span<RxFrame> frames);

  int fd_;
  bool gro_;
  bool connected_;
  Slab slab_;
  std::vector<std::uint32_t> free_;        ///< used as a stack: the buffer given back last is still in the cache
  std::vector<std::uint32_t> references_;  ///< per buffer: frames not yet released
  std::array<Message, kMessages> received_;
  std::size_t next_ = 0;
  std::size_t filled_ = 0;
  std::size_t batch_ = kMessages;

  std::vector<mmsghdr> headers_{kMessages};
  std::vector<iovec> buffers_{kMessages};
  std::vector<sockaddr_in> names_{kMessages};
  std::vector<Control> controls_{kMessages};
  Tally frames_, bursts_, empty_, messages_, truncated_, starved_, hints_, refused_;
};

}  // namespace waggle::packet
