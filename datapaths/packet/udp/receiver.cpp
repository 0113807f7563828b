// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/udp/receiver.hpp"

#include <arpa/inet.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

namespace waggle::packet {
namespace {

constexpr std::size_t kMergedBuffer = 65536;
constexpr std::size_t kMergedBuffers = 192;
constexpr std::size_t kBuffers = 512;

/// Bytes from the control message of UDP_GRO, 0 when the kernel merged nothing.
std::uint32_t segment_of(const msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), part)) {
    if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(part), sizeof size);
      return static_cast<std::uint32_t>(std::max(size, 0));
    }
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<UdpReceiver>> UdpReceiver::create(const UdpSocket& socket) {
  const std::size_t stride = socket.gro ? kMergedBuffer : (socket.packet + 511) / 512 * 512;
  WAGGLE_LET(slab, Slab::create(socket.gro ? kMergedBuffers : kBuffers, stride));
  return std::unique_ptr<UdpReceiver>(new UdpReceiver(socket, std::move(slab)));
}

UdpReceiver::UdpReceiver(const UdpSocket& socket, Slab slab)
    : fd_(socket.fd.get()), gro_(socket.gro), connected_(socket.connected), slab_(std::move(slab)) {
  const auto count = static_cast<std::uint32_t>(slab_.bytes() / slab_.stride());
  references_.resize(count);
  for (std::uint32_t index = count; index > 0; --index) {
    free_.push_back(index - 1);
  }
  for (std::size_t index = 0; index < kMessages; ++index) {
    headers_[index].msg_hdr.msg_name = &names_[index];
    headers_[index].msg_hdr.msg_iov = &buffers_[index];
    headers_[index].msg_hdr.msg_iovlen = 1;
    headers_[index].msg_hdr.msg_control = gro_ ? controls_[index].bytes.data() : nullptr;
  }
}

Result<std::size_t> UdpReceiver::poll(std::span<RxFrame> frames) {
  std::size_t count = carve(frames);
  if (count < frames.size()) {
    WAGGLE_TRY(receive(frames.size() - count));
    count += carve(frames.subspan(count));
  }
  if (count > 0) {
    ++bursts_;
    frames_ += count;
  } else {
    ++empty_;
  }
  return count;
}

Result<> UdpReceiver::receive(std::size_t wanted) {
  const std::size_t count = std::min({wanted, batch_, free_.size()});
  next_ = filled_ = 0;
  if (count == 0) {
    ++starved_;
    return {};
  }
  for (std::size_t index = 0; index < count; ++index) {
    received_[index].buffer = free_[free_.size() - 1 - index];
    buffers_[index] = {slab_.block(received_[index].buffer), slab_.stride()};
    headers_[index].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    headers_[index].msg_hdr.msg_controllen = gro_ ? sizeof(Control) : 0;
  }
  const int got = ::recvmmsg(fd_, headers_.data(), static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
  if (got <= 0) {
    if (got == 0 || errno == EAGAIN || errno == EINTR) {
      return {};
    }
    return told(errno);
  }
  const auto messages = static_cast<std::size_t>(got);
  messages_ += messages;
  free_.resize(free_.size() - messages);
  for (std::size_t index = 0; index < messages; ++index) {
    note(headers_[index], index);
  }
  batch_ = filled_ > 0 && received_[0].length > received_[0].segment ? kMergedMessages : kMessages;
  return {};
}

/// What the socket says instead of bringing packets. ICMP reaches it from anybody who guesses two port numbers, so it
/// may be true or not: whether packets arrive is for the transport to find out. Only where nothing has ever come from
/// the server, so that nothing can be lost, is its refusal taken for an answer.
Result<> UdpReceiver::told(int error) {
  if (is_broken(error)) {
    return fail_errno("cannot receive from a UDP socket", error);
  }
  ++hints_;
  if (error == ECONNREFUSED) {
    ++refused_;
    if (connected_ && messages_ == 0 && refused_ >= kRefusals) {
      return fail(Fault::peer_gone, "nobody listens at the peer's UDP port", "start the server, or check the port");
    }
  }
  return {};
}

void UdpReceiver::note(const mmsghdr& message, std::size_t index) {
  Message noted = received_[index];
  if (message.msg_len == 0 || (message.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
    ++truncated_;
    free_.push_back(noted.buffer);
    return;
  }
  noted.length = message.msg_len;
  noted.offset = 0;
  const std::uint32_t segment = gro_ ? segment_of(message.msg_hdr) : 0;
  noted.segment = segment == 0 ? noted.length : segment;
  noted.from = {ntohl(names_[index].sin_addr.s_addr), ntohs(names_[index].sin_port), {}};
  references_[noted.buffer] = (noted.length + noted.segment - 1) / noted.segment;
  received_[filled_++] = noted;
}

std::size_t UdpReceiver::carve(std::span<RxFrame> frames) {
  std::size_t count = 0;
  while (count < frames.size() && next_ != filled_) {
    Message& message = received_[next_];
    const std::uint32_t length = std::min(message.segment, message.length - message.offset);
    frames[count++] = {slab_.block(message.buffer) + message.offset, length, message.buffer, message.from};
    message.offset += length;
    next_ += message.offset == message.length ? 1 : 0;
  }
  return count;
}

void UdpReceiver::release(std::span<const RxFrame> frames) {
  for (const RxFrame& frame : frames) {
    const auto buffer = static_cast<std::uint32_t>(frame.handle);
    if (--references_[buffer] == 0) {
      free_.push_back(buffer);
    }
  }
}

Counters UdpReceiver::counters() const {
  return {{"frames_received", frames_}, {"rx_bursts", bursts_},          {"empty_polls", empty_},
          {"rx_messages", messages_},   {"rx_truncated", truncated_},    {"rx_buffers_out", starved_},
          {"rx_hints", hints_},         {"connection_refused", refused_}};
}

}  // namespace waggle::packet
