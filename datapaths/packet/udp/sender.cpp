// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/udp/sender.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace waggle::packet {
namespace {

/// Most that the kernel segments: UDP_MAX_SEGMENTS was 64 before Linux 6.9, and all of it is one IPv4 packet at first.
constexpr std::size_t kSegments = 64;
constexpr std::size_t kMessageBytes = 65507;
/// A packet begins here in its block, so that the payload behind its header is aligned for O_DIRECT.
constexpr std::size_t kOffset = 512 - kDataHeader;

}  // namespace

Result<std::unique_ptr<UdpSender>> UdpSender::create(const UdpSocket& socket) {
  const std::size_t stride = (kOffset + socket.packet + 511) / 512 * 512;
  WAGGLE_LET(slab, Slab::create(kFrames, stride));
  return std::unique_ptr<UdpSender>(new UdpSender(socket, std::move(slab)));
}

UdpSender::UdpSender(const UdpSocket& socket, Slab slab)
    : fd_(socket.fd.get()),
      gso_(socket.gso),
      gso_demanded_(socket.gso_demanded),
      connected_(socket.connected),
      remote_(socket.remote),
      room_(socket.packet),
      slab_(std::move(slab)) {
  for (std::uint32_t index = kFrames; index > 0; --index) {
    free_.push_back(index - 1);
  }
}

std::size_t UdpSender::lease(std::span<TxFrame> frames) {
  const std::size_t count = std::min(frames.size(), free_.size());
  for (TxFrame& frame : frames.first(count)) {
    const std::uint32_t index = free_.back();
    free_.pop_back();
    frame = {slab_.block(index) + kOffset, room_, 0, index, {}};
  }
  return count;
}

void UdpSender::give_back(std::span<const TxFrame> frames) {
  for (const TxFrame& frame : frames) {
    free_.push_back(static_cast<std::uint32_t>(frame.handle));
  }
}

Result<std::size_t> UdpSender::send(std::span<const TxFrame> frames) {
  std::size_t done = 0;
  blocked_ = false;
  while (done < frames.size() && !blocked_) {
    const std::size_t messages = prepare(frames.subspan(done));
    const int sent = ::sendmmsg(fd_, headers_.data(), static_cast<unsigned>(messages), MSG_DONTWAIT | MSG_NOSIGNAL);
    WAGGLE_LET(taken, sent > 0 ? accepted(static_cast<std::size_t>(sent)) : refused(errno));
    give_back(frames.subspan(done, taken));
    done += taken;
  }
  return done;
}

Result<std::size_t> UdpSender::accepted(std::size_t messages) {
  const std::size_t frames =
      std::accumulate(merged_.begin(), merged_.begin() + static_cast<std::ptrdiff_t>(messages), std::size_t{0});
  ++bursts_;
  frames_ += frames;
  messages_ += messages;
  again_ = false;
  alone_ -= std::min(alone_, frames);
  if (suspect_ != 0) {
    WAGGLE_TRY(stop_segmenting());
  }
  return frames;
}

Result<std::size_t> UdpSender::refused(int error) {
  if (error == EINTR) {
    return 0;
  }
  if (error == EAGAIN) {
    ++full_;
    blocked_ = true;
    return 0;
  }
  if (is_broken(error)) {
    return fail_errno("cannot send on a UDP socket", error);
  }
  if (is_hint(error) && !again_) {
    ++hints_;
    again_ = true;
    return 0;
  }
  again_ = false;
  if (merged_[0] > 1 && (error == EINVAL || error == EIO || error == EMSGSIZE)) {
    alone_ = merged_[0];
    suspect_ = is_hint(error) ? 0 : error;
    return 0;
  }
  suspect_ = 0;
  alone_ -= std::min<std::size_t>(alone_, merged_[0]);
  (error == EMSGSIZE ? too_big_ : lost_) += merged_[0];
  return merged_[0];
}

Result<> UdpSender::stop_segmenting() {
  if (gso_demanded_) {
    return fail(Fault::missing,
                fmt::format("the kernel does not segment UDP on this path: {}", std::strerror(suspect_)),
                "turn the device's tx-checksumming on, or leave out udp.gso=yes");
  }
  gso_ = false;
  ++gso_refused_;
  alone_ = 0;
  suspect_ = 0;
  return {};
}

std::size_t UdpSender::prepare(std::span<const TxFrame> frames) {
  for (std::size_t index = 0; index < std::min(frames.size(), buffers_.size()); ++index) {
    buffers_[index] = {frames[index].packet, frames[index].length};
  }
  const std::size_t most = std::min({frames.size(), buffers_.size(), alone_ > 0 ? alone_ : kMostBurst});
  const bool merges = gso_ && alone_ == 0;
  std::size_t message = 0;
  for (std::size_t at = 0; at < most; ++message) {
    const std::size_t count = merges ? merge(frames.subspan(at, most - at)) : 1;
    headers_[message].msg_hdr.msg_iov = &buffers_[at];
    fill(message, frames.subspan(at, count));
    at += count;
  }
  return message;
}

std::size_t UdpSender::merge(std::span<const TxFrame> frames) const {
  const TxFrame& first = frames.front();
  std::size_t bytes = first.length;
  std::size_t count = 1;
  while (count < std::min(frames.size(), kSegments) && frames[count].to == first.to &&
         frames[count].length <= first.length && bytes + frames[count].length <= kMessageBytes) {
    bytes += frames[count].length;
    if (frames[count++].length < first.length) {
      break;  // only the last segment may be shorter
    }
  }
  return count;
}

void UdpSender::fill(std::size_t message, std::span<const TxFrame> frames) {
  const TxFrame& first = frames.front();
  msghdr& header = headers_[message].msg_hdr;
  header.msg_iovlen = frames.size();
  merged_[message] = static_cast<std::uint32_t>(frames.size());
  const bool named = !connected_ || !(first.to == remote_);
  names_[message] = {
      .sin_family = AF_INET, .sin_port = htons(first.to.port), .sin_addr = {htonl(first.to.ip)}, .sin_zero = {}};
  header.msg_name = named ? &names_[message] : nullptr;
  header.msg_namelen = named ? sizeof(sockaddr_in) : 0;
  header.msg_control = nullptr;
  header.msg_controllen = 0;
  if (frames.size() > 1) {
    header.msg_control = controls_[message].bytes.data();
    header.msg_controllen = sizeof(Control);
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_UDP;
    part->cmsg_type = UDP_SEGMENT;
    part->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto segment = static_cast<std::uint16_t>(first.length);
    std::memcpy(CMSG_DATA(part), &segment, sizeof segment);
  }
}

Counters UdpSender::counters() const {
  return {{"frames_sent", frames_}, {"tx_bursts", bursts_}, {"tx_messages", messages_}, {"tx_ring_full", full_},
          {"tx_too_big", too_big_}, {"tx_refused", lost_},  {"tx_hints", hints_},       {"gso_refused", gso_refused_}};
}

}  // namespace waggle::packet
