// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/afxdp/queue_port.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace waggle::packet {
namespace {

/// Where a packet begins in a chunk that is sent: its payload, behind the transport's header, is aligned for O_DIRECT.
constexpr std::uint32_t kTxOffset = 512 - kDataHeader;
/// What the kernel keeps free in front of a frame that it receives (XDP_PACKET_HEADROOM).
constexpr std::uint32_t kRxHeadroom = 256;
constexpr std::uint32_t kIpAndUdp = 28;

/// In copy mode a frame is under way until the far end has taken it. A veth has 256 places for such frames and frees
/// them by sixteen; one more would be lost (VETH_RING_SIZE, __ptr_ring_discard_one() in the kernel). With the default
/// ring there are never more.
std::uint32_t leasable(const Queue& queue) {
  return queue.options().tx_frames - queue.options().tx_frames / 8;
}

}  // namespace

std::uint32_t QueuePort::room(std::uint32_t chunk) {
  return chunk - std::max<std::uint32_t>(kTxOffset, kRxHeadroom + kFrameHeaders);
}

QueuePort::QueuePort(std::shared_ptr<AfxdpInterface> shared, std::unique_ptr<Queue> queue, Sleeper sleeper, Wait wait,
                     std::vector<Mode> modes)
    : shared_(std::move(shared)),
      queue_(std::move(queue)),
      sleeper_(std::move(sleeper)),
      wait_(wait),
      modes_(std::move(modes)),
      packet_(std::min(shared_->interface.mtu - kIpAndUdp, room(queue_->chunk()))),
      busy_polls_(queue_->options().busy_poll > 0) {
  modes_.insert(modes_.end(), queue_->modes().begin(), queue_->modes().end());
  for (std::uint32_t index = leasable(*queue_); index > 0; --index) {
    free_.push_back(std::uint64_t{index - 1} * queue_->chunk());
  }
}

Capabilities QueuePort::capabilities() const {
  return {.packet = packet_,
          .rx_capacity = queue_->options().rx_frames - static_cast<std::uint32_t>(kMostBurst),
          .tx_capacity = leasable(*queue_),
          .direct = true,
          .zero_copy = queue_->zero_copy(),
          .checksum_offload = false};
}

std::size_t QueuePort::lease(std::span<TxFrame> frames) {
  if (free_.size() < frames.size()) {
    reclaim();
  }
  const std::size_t count = std::min(frames.size(), free_.size());
  for (TxFrame& frame : frames.first(count)) {
    const std::uint64_t chunk = free_.back();
    free_.pop_back();
    frame = {queue_->at(chunk) + kTxOffset, packet_, 0, chunk, {}};
  }
  return count;
}

void QueuePort::give_back(std::span<const TxFrame> frames) {
  for (const TxFrame& frame : frames) {
    free_.push_back(frame.handle);
  }
}

Result<std::size_t> QueuePort::send(std::span<const TxFrame> frames) {
  const auto wanted = static_cast<std::uint32_t>(frames.size());
  const std::uint32_t count = std::min(wanted, xsk_prod_nb_free(&queue_->tx, wanted));
  tx_full_ += count < wanted ? 1 : 0;
  std::uint32_t at = 0;
  xsk_ring_prod__reserve(&queue_->tx, count, &at);
  for (const TxFrame& frame : frames.first(count)) {
    write_headers(frame.packet, frame.length, shared_->local, frame.to, shared_->checksum);
    xdp_desc* descriptor = xsk_ring_prod__tx_desc(&queue_->tx, at++);
    descriptor->addr = frame.handle + kTxOffset - kFrameHeaders;
    descriptor->len = frame.length + static_cast<std::uint32_t>(kFrameHeaders);
    descriptor->options = 0;
  }
  xsk_ring_prod__submit(&queue_->tx, count);
  sent_ += count;
  ++tx_bursts_;
  WAGGLE_TRY(kick());
  return count;
}

/// Tells the kernel to look at the TX ring. In copy mode one call sends a limited number of frames, and stops early
/// when memory for them is short: then it is called again later.
Result<> QueuePort::kick() {
  kick_again_ = false;
  if (queue_->options().need_wakeup && !xsk_ring_prod__needs_wakeup(&queue_->tx)) {
    return {};
  }
  std::uint32_t before = __atomic_load_n(queue_->tx.consumer, __ATOMIC_RELAXED);
  for (;;) {
    ++wakeups_;
    const bool failed = ::sendto(queue_->fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0;
    tx_dropped_ += failed && errno == EBUSY ? 1 : 0;  // the device had no room: one frame is lost
    if (failed && errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR) {
      return fail_errno(fmt::format("cannot send on {} any more", shared_->interface.name));
    }
    const std::uint32_t now = __atomic_load_n(queue_->tx.consumer, __ATOMIC_ACQUIRE);
    if (now == *queue_->tx.producer || queue_->zero_copy()) {
      return {};
    }
    if (now == before) {
      kick_again_ = true;
      return {};
    }
    before = now;
  }
}

void QueuePort::reclaim() {
  std::uint32_t at = 0;
  const std::uint32_t count = xsk_ring_cons__peek(&queue_->completion, queue_->options().tx_frames, &at);
  for (std::uint32_t index = 0; index < count; ++index) {
    const std::uint64_t address = *xsk_ring_cons__comp_addr(&queue_->completion, at + index);
    free_.push_back(address & ~std::uint64_t{queue_->chunk() - 1});
  }
  xsk_ring_cons__release(&queue_->completion, count);
}

Result<std::size_t> QueuePort::poll(std::span<RxFrame> frames) {
  if (kick_again_) [[unlikely]] {
    WAGGLE_TRY(kick());
  }
  std::uint32_t at = 0;
  const std::uint32_t there = xsk_ring_cons__peek(&queue_->rx, static_cast<std::uint32_t>(frames.size()), &at);
  if (there == 0) {
    ++empty_polls_;
    WAGGLE_TRY(wake_receiver());
    return 0;
  }
  std::size_t count = 0;
  for (std::uint32_t index = 0; index < there; ++index) {
    const xdp_desc& descriptor = *xsk_ring_cons__rx_desc(&queue_->rx, at + index);
    const auto parsed = parse_frame({queue_->at(descriptor.addr), descriptor.len}, shared_->local);
    if (!parsed) [[unlikely]] {
      ++invalid_;
      const std::uint64_t address = descriptor.addr;
      refill({&address, 1});
      continue;
    }
    frames[count++] = {parsed->packet, parsed->length, descriptor.addr, parsed->from};
  }
  xsk_ring_cons__release(&queue_->rx, there);
  received_ += count;
  ++rx_bursts_;
  return count;
}

/// Drivers that ran out of frames to fill, and busy polling, need a system call to go on.
Result<> QueuePort::wake_receiver() {
  const bool asked = queue_->options().need_wakeup && xsk_ring_prod__needs_wakeup(&queue_->fill);
  if (!busy_polls_ && !asked) {
    return {};
  }
  ++wakeups_;
  if (::recvfrom(queue_->fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr) < 0 && errno == ENETDOWN) {
    return fail_errno(fmt::format("cannot receive on {} any more", shared_->interface.name));
  }
  return {};
}

void QueuePort::refill(std::span<const std::uint64_t> addresses) {
  std::uint32_t at = 0;
  // Never short: the fill ring holds all frames that there are to receive into.
  xsk_ring_prod__reserve(&queue_->fill, static_cast<std::uint32_t>(addresses.size()), &at);
  for (const std::uint64_t address : addresses) {
    *xsk_ring_prod__fill_addr(&queue_->fill, at++) = address & ~std::uint64_t{queue_->chunk() - 1};
  }
  xsk_ring_prod__submit(&queue_->fill, static_cast<std::uint32_t>(addresses.size()));
}

void QueuePort::release(std::span<const RxFrame> frames) {
  std::array<std::uint64_t, kMostBurst> addresses;
  while (!frames.empty()) {
    const std::size_t count = std::min(frames.size(), addresses.size());
    std::ranges::transform(frames.first(count), addresses.begin(), &RxFrame::handle);
    refill({addresses.data(), count});
    frames = frames.subspan(count);
  }
}

Result<> QueuePort::wait(Time deadline) {
  if (wait_ == Wait::spin) {
    return {};
  }
  ++waits_;
  // While frames are left in the TX ring, poll() must come round to send them.
  return sleeper_.wait(queue_->fd(), static_cast<short>(POLLIN | (kick_again_ ? POLLOUT : 0)), deadline);
}

Result<Peer> QueuePort::resolve(Peer peer) {
  WAGGLE_LET(route, route_to(peer.ip));
  if (route.interface.index != shared_->interface.index) {
    return fail(Fault::usage,
                fmt::format("{} is reached through {}, and this port is on {}", ipv4_text(peer.ip),
                            route.interface.name, shared_->interface.name),
                "choose another local address");
  }
  WAGGLE_LET(mac, neighbour(route.interface, route.next_hop));
  peer.mac = mac;
  return peer;
}

Counters QueuePort::counters() const {
  const xdp_statistics statistics = queue_->statistics();
  return {{"frames_sent", sent_},
          {"frames_received", received_},
          {"tx_bursts", tx_bursts_},
          {"rx_bursts", rx_bursts_},
          {"empty_polls", empty_polls_},
          {"wakeup_calls", wakeups_},
          {"waits", waits_},
          {"tx_ring_full", tx_full_},
          {"tx_dropped", tx_dropped_},
          {"rx_invalid", invalid_},
          {"rx_ring_full", statistics.rx_ring_full},
          {"rx_fill_ring_empty", statistics.rx_fill_ring_empty_descs},
          {"tx_invalid", statistics.tx_invalid_descs},
          {"rx_dropped", statistics.rx_dropped + statistics.rx_ring_full}};
}

}  // namespace waggle::packet
