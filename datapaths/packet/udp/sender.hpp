// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/tally.hpp"
#include "datapaths/packet/slab.hpp"
#include "datapaths/packet/udp/socket.hpp"

namespace waggle::packet {

/// The sending half of a UDP port: sendmmsg from frames of its own, and with UDP_SEGMENT one message for consecutive
/// frames of one length to one peer. The kernel copies, so that a frame is free as soon as it was sent.
class UdpSender {
 public:
  static constexpr std::uint32_t kFrames = 512;

  static Result<std::unique_ptr<UdpSender>> create(const UdpSocket& socket);

  std::size_t lease(std::span<TxFrame> frames);
  void give_back(std::span<const TxFrame> frames);
  /// What the kernel refuses for a destination or the path counts as sent, and is lost as on the wire: a port serves
  /// many peers, and whether packets arrive is for the transport to find out. Segmentation that it refuses is done
  /// without from then on; Fault::missing when it was demanded.
  Result<std::size_t> send(std::span<const TxFrame> frames);
  /// Whether messages of many frames are sent; from any thread.
  bool segments() const { return gso_; }
  Counters counters() const;

 private:
  static constexpr std::size_t kMessages = kMostBurst;
  struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> bytes;
  };

  UdpSender(const UdpSocket& socket, Slab slab);
  std::size_t prepare(std::span<const TxFrame> frames);
  std::size_t merge(std::span<const TxFrame> frames) const;
  void fill(std::size_t message, std::span<const TxFrame> frames);
  /// Frames that have gone with the first `messages`.
  Result<std::size_t> accepted(std::size_t messages);
  /// Frames of the first message that are done with although the kernel refused them.
  Result<std::size_t> refused(int error);
  Result<> stop_segmenting();

  int fd_;
  std::atomic<bool> gso_;
  bool gso_demanded_;
  bool connected_;
  Peer remote_;
  std::uint32_t room_;
  Slab slab_;
  std::vector<std::uint32_t> free_;  ///< used as a stack
  bool blocked_ = false;             ///< the socket's buffer is full
  bool again_ = false;               ///< the first message is tried again: the error may have been of an earlier packet
  std::size_t alone_ = 0;            ///< frames to send one by one, since as one message they were refused
  int suspect_ = 0;                  ///< with this, which no hint says; if they go one by one, it was for the merging

  std::vector<mmsghdr> headers_{kMessages};
  std::vector<iovec> buffers_{kMostBurst};
  std::vector<sockaddr_in> names_{kMessages};
  std::vector<Control> controls_{kMessages};
  std::array<std::uint32_t, kMessages> merged_{};  ///< frames per message
  Tally frames_, bursts_, messages_, full_, too_big_, lost_, hints_, gso_refused_;
};

}  // namespace waggle::packet
