// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/afxdp/queue_port.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/clock.hpp"

namespace waggle::packet {
namespace {

/// Where a packet begins in a chunk that is sent: its payload, behind the transport's header, is aligned for O_DIRECT.
constexpr std::uint32_t kTxOffset = 512 - kDataHeader;
/// What the kernel keeps free in front of a frame that it receives (XDP_PACKET_HEADROOM).
constexpr std::uint32_t kRxHeadroom = 256;

/// Handles of frames that lie in a buffer of the joiner instead of a chunk.
constexpr std::uint64_t kJoined = std::uint64_t{1} << 63;
constexpr std::size_t kJoiners = 2 * kMostBurst;

/// Where the receiver keeps up, the kernel would wake it for every single frame, which costs both sides more than the
/// frame itself. So while frames come this often it does not wait for them but sleeps for a moment and finds a burst.
constexpr std::uint64_t kBusyFrames = 4;
constexpr Time kBusyGap = 10'000;  // ns per frame
constexpr Time kNap = 30'000;      // ns; the kernel adds its timer slack

/// While the device is down the kernel takes nothing; how soon it is asked again, ns.
constexpr Time kDown = 5'000'000;

/// A device that goes wakes nobody who waits for its packets (xsk_poll() in the kernel has no event for a socket that
/// is bound to nothing), so a wait ends this often to look for it, ns.
constexpr Time kLook = 2'000'000'000;

/// Largest packet with several chunks per frame: what IPv4 carries, as far as the kernel links buffers (MAX_SKB_FRAGS).
constexpr std::uint32_t kJumbo = 61440;

/// Whether an interface is still there, under whatever name.
bool exists(const Interface& interface) {
  std::array<char, IF_NAMESIZE> name;
  return ::if_indextoname(static_cast<unsigned>(interface.index), name.data()) != nullptr;
}

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

Result<std::unique_ptr<Port>> QueuePort::create(std::shared_ptr<AfxdpInterface> shared, std::unique_ptr<Queue> queue,
                                                std::vector<Mode> modes) {
  std::unique_ptr<QueuePort> port(new QueuePort(std::move(shared), std::move(queue), std::move(modes)));
  if (port->parts_ > 1) {
    WAGGLE_LET(joiner, Joiner::create(kJoiners, kFrameHeaders + port->packet_));
    port->joiner_.emplace(std::move(joiner));
  }
  return port;
}

QueuePort::QueuePort(std::shared_ptr<AfxdpInterface> shared, std::unique_ptr<Queue> queue, std::vector<Mode> modes)
    : shared_(std::move(shared)),
      queue_(std::move(queue)),
      modes_(std::move(modes)),
      packet_(std::min(shared_->interface.mtu - kIpAndUdp,
                       queue_->options().multi_buffer ? kJumbo : room(queue_->chunk()))),
      group_((kTxOffset + packet_ + queue_->chunk() - 1) / queue_->chunk()),
      parts_((static_cast<std::uint32_t>(kFrameHeaders) + packet_ + queue_->chunk() - kRxHeadroom - 1) /
             (queue_->chunk() - kRxHeadroom)),
      busy_polls_(queue_->options().busy_poll > 0) {
  modes_.insert(modes_.end(), queue_->modes().begin(), queue_->modes().end());
  for (std::uint32_t index = leasable(*queue_) / group_; index > 0; --index) {
    free_.push_back(std::uint64_t{index - 1} * group_ * queue_->chunk());
  }
}

Capabilities QueuePort::capabilities() const {
  return {.packet = packet_,
          .rx_capacity = queue_->options().rx_frames / parts_ - static_cast<std::uint32_t>(kMostBurst) / parts_,
          .tx_capacity = leasable(*queue_) / group_,
          .direct = true};
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

std::uint32_t QueuePort::parts_to_send(const TxFrame& frame) const {
  return (kTxOffset + frame.length + queue_->chunk() - 1) / queue_->chunk();
}

/// Writes the descriptors of a frame into reserved places from `at` on, one per chunk that it lies in.
void QueuePort::describe(const TxFrame& frame, std::uint32_t& at) {
  std::uint64_t address = frame.handle + kTxOffset - kFrameHeaders;
  auto left = static_cast<std::uint32_t>(kFrameHeaders) + frame.length;
  while (left > 0) {
    const auto in_chunk = queue_->chunk() - static_cast<std::uint32_t>(address % queue_->chunk());
    const std::uint32_t length = std::min(left, in_chunk);
    left -= length;
    *xsk_ring_prod__tx_desc(&queue_->tx, at++) = {address, length, left > 0 ? kGoesOn : 0};
    address += length;
  }
}

Result<std::size_t> QueuePort::send(std::span<const TxFrame> frames) {
  if (down_) [[unlikely]] {
    WAGGLE_TRY(kick());
    if (down_) {
      // Lost as on a wire that is cut: whether it is mended in time is for the transport to say.
      give_back(frames);
      tx_dropped_ += frames.size();
      return frames.size();
    }
  }
  const std::uint32_t room = xsk_prod_nb_free(&queue_->tx, queue_->options().tx_frames);
  std::size_t count = 0;
  std::uint32_t parts = 0;
  while (count < frames.size() && parts + parts_to_send(frames[count]) <= room) {
    parts += parts_to_send(frames[count++]);
  }
  tx_full_ += count < frames.size() ? 1 : 0;
  std::uint32_t at = 0;
  xsk_ring_prod__reserve(&queue_->tx, parts, &at);
  for (const TxFrame& frame : frames.first(count)) {
    write_headers(frame.packet, frame.length, shared_->local, frame.to, shared_->checksum);
    describe(frame, at);
  }
  xsk_ring_prod__submit(&queue_->tx, parts);
  sent_ += count;
  ++tx_bursts_;
  WAGGLE_TRY(kick());
  return count;
}

/// Tells the kernel to look at the TX ring. In copy mode one call sends a limited number of frames, and stops early
/// when memory for them is short: then it is called again later.
Result<> QueuePort::kick() {
  kick_at_ = kNever;
  if (queue_->options().need_wakeup && !xsk_ring_prod__needs_wakeup(&queue_->tx)) {
    return {};
  }
  std::uint32_t before = __atomic_load_n(queue_->tx.consumer, __ATOMIC_RELAXED);
  for (;;) {
    ++wakeups_;
    const int error = ::sendto(queue_->fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0 ? errno : 0;
    WAGGLE_TRY(judge(error));
    tx_dropped_ += error == EBUSY ? 1 : 0;  // the device had no room: one frame is lost
    const std::uint32_t now = __atomic_load_n(queue_->tx.consumer, __ATOMIC_ACQUIRE);
    if (now == *queue_->tx.producer || (queue_->zero_copy() && error == 0)) {
      return {};
    }
    if (now == before || queue_->zero_copy()) {
      kick_at_ = now_ns() + (down_ ? kDown : kNap);
      return {};
    }
    before = now;
  }
}

/// What a call says of the device, which may pass: it is down or is being set up again. Only one that has gone takes
/// its port along, whose socket is bound to nothing from then on (xsk_notifier() in the kernel).
Result<> QueuePort::judge(int error) {
  down_ = error != 0 && error != EAGAIN && error != EBUSY && error != ENOBUFS && error != EINTR;
  if (!down_) {
    return {};
  }
  if (error == EBADF || error == ENOTSOCK || (error == ENXIO && !exists(shared_->interface))) {
    return fail_errno(fmt::format("{} is no more", shared_->interface.name), error);
  }
  ++device_errors_;
  return {};
}

void QueuePort::reclaim() {
  std::uint32_t at = 0;
  const std::uint32_t count = xsk_ring_cons__peek(&queue_->completion, queue_->options().tx_frames, &at);
  const std::uint64_t bytes = std::uint64_t{group_} * queue_->chunk();
  for (std::uint32_t index = 0; index < count; ++index) {
    const std::uint64_t address = first_of(*xsk_ring_cons__comp_addr(&queue_->completion, at + index));
    // The chunks of a frame come back together; the first one stands for all.
    if (group_ == 1 || address % bytes == 0) {
      free_.push_back(address);
    }
  }
  xsk_ring_cons__release(&queue_->completion, count);
}

std::uint64_t QueuePort::first_of(std::uint64_t address) const {
  return address & ~std::uint64_t{queue_->chunk() - 1};
}

Result<std::size_t> QueuePort::poll(std::span<RxFrame> frames) {
  if (kick_at_ != kNever) [[unlikely]] {
    WAGGLE_TRY(kick());
  }
  std::uint32_t at = 0;
  const std::uint32_t there = xsk_ring_cons__peek(&queue_->rx, static_cast<std::uint32_t>(frames.size()) * parts_, &at);
  if (there == 0) {
    ++empty_polls_;
    WAGGLE_TRY(wake_receiver());
    return 0;
  }
  std::size_t count = 0;
  std::uint32_t done = 0;
  while (done < there && count < frames.size()) {
    std::uint32_t parts = 1;
    while (done + parts <= there &&
           (xsk_ring_cons__rx_desc(&queue_->rx, at + done + parts - 1)->options & kGoesOn) != 0) {
      ++parts;
    }
    if (done + parts > there) {
      break;  // the rest of it is behind what we asked for
    }
    count += take(at + done, parts, frames[count]) ? 1 : 0;
    done += parts;
  }
  xsk_ring_cons__cancel(&queue_->rx, there - done);
  xsk_ring_cons__release(&queue_->rx, done);
  received_ += count;
  ++rx_bursts_;
  return count;
}

/// Makes a frame of `parts` descriptors from `at` on. What is none of ours goes back to the fill ring.
bool QueuePort::take(std::uint32_t at, std::uint32_t parts, RxFrame& frame) {
  const xdp_desc& first = *xsk_ring_cons__rx_desc(&queue_->rx, at);
  ByteSpan whole{queue_->at(first.addr), first.len};
  std::uint64_t handle = first.addr;
  bool good = true;
  if (parts > 1) [[unlikely]] {
    const bool begun = joiner_ && joiner_->begin();
    good = begun;
    for (std::uint32_t part = 0; part < parts; ++part) {
      const xdp_desc& descriptor = *xsk_ring_cons__rx_desc(&queue_->rx, at + part);
      good = good && joiner_->append({queue_->at(descriptor.addr), descriptor.len});
      const std::uint64_t address = descriptor.addr;
      refill({&address, 1});
    }
    if (begun) {
      whole = joiner_->frame();
      handle = kJoined | joiner_->buffer();
    }
    if (!begun || !good) {
      ++invalid_;
      if (begun) {
        joiner_->give_back(joiner_->buffer());
      }
      return false;
    }
  }
  const auto parsed = parse_frame(whole, shared_->local);
  frame = {nullptr, 0, handle, {}};
  if (!parsed) [[unlikely]] {
    ++invalid_;
    release({&frame, 1});
    return false;
  }
  frame = {parsed->packet, parsed->length, handle, parsed->from};
  return true;
}

/// Drivers that ran out of frames to fill, and busy polling, need a system call to go on.
Result<> QueuePort::wake_receiver() {
  const bool asked = queue_->options().need_wakeup && xsk_ring_prod__needs_wakeup(&queue_->fill);
  if (!busy_polls_ && !asked) {
    return {};
  }
  ++wakeups_;
  return judge(::recvfrom(queue_->fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr) < 0 ? errno : 0);
}

void QueuePort::refill(std::span<const std::uint64_t> addresses) {
  std::uint32_t at = 0;
  // Never short: the fill ring holds all frames that there are to receive into.
  xsk_ring_prod__reserve(&queue_->fill, static_cast<std::uint32_t>(addresses.size()), &at);
  for (const std::uint64_t address : addresses) {
    *xsk_ring_prod__fill_addr(&queue_->fill, at++) = first_of(address);
  }
  xsk_ring_prod__submit(&queue_->fill, static_cast<std::uint32_t>(addresses.size()));
}

void QueuePort::release(std::span<const RxFrame> frames) {
  std::array<std::uint64_t, kMostBurst> addresses;
  std::size_t count = 0;
  for (const RxFrame& frame : frames) {
    if ((frame.handle & kJoined) != 0) {
      joiner_->give_back(static_cast<std::uint32_t>(frame.handle));
      continue;
    }
    addresses[count++] = frame.handle;
    if (count == addresses.size()) {
      refill({addresses.data(), count});
      count = 0;
    }
  }
  if (count > 0) {
    refill({addresses.data(), count});
  }
}

Result<Watch> QueuePort::arm(Time deadline) {
  const Time now = now_ns();
  const std::uint64_t frames = received_ - received_before_;
  const bool busy = frames >= kBusyFrames && frames * kBusyGap >= now - armed_before_;
  received_before_ = received_;
  armed_before_ = now;
  if (busy) {
    ++naps_;
    return Watch{.fd = -1, .events = 0, .until = std::min(deadline, now + kNap)};
  }
  if (now - looked_ >= kLook) {
    looked_ = now;
    WAGGLE_TRY(look());
  }
  ++waits_;
  return Watch{queue_->fd(), POLLIN, std::min(deadline, now + kLook)};
}

/// Whether the device is still there: the kernel has left an error at the socket when it went (xsk_notifier()).
Result<> QueuePort::look() const {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(queue_->fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ENETDOWN) {
    return fail_errno(fmt::format("{} is no more", shared_->interface.name), error);
  }
  return {};
}

Result<Peer> QueuePort::resolve(Peer peer, const std::stop_token& cancel) {
  WAGGLE_LET(route, route_to(peer.ip));
  if (route.interface.index != shared_->interface.index) {
    return fail(Fault::usage,
                fmt::format("{} is reached through {}, and this port is on {}", ipv4_text(peer.ip),
                            route.interface.name, shared_->interface.name),
                "choose another local address");
  }
  WAGGLE_LET(mac, neighbour(route.interface, route.next_hop, cancel));
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
          {"naps", naps_},
          {"tx_ring_full", tx_full_},
          {"tx_dropped", tx_dropped_},
          {"device_errors", device_errors_},
          {"rx_invalid", invalid_},
          {"rx_ring_full", statistics.rx_ring_full},
          {"rx_fill_ring_empty", statistics.rx_fill_ring_empty_descs},
          {"tx_invalid", statistics.tx_invalid_descs},
          {"rx_dropped", statistics.rx_dropped + statistics.rx_ring_full}};
}

}  // namespace waggle::packet
