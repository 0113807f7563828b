// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/afxdp/queue.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"
#include "base/mode.hpp"
#include "base/stop.hpp"
#include "datapaths/xdp/messages.hpp"

namespace waggle::packet {
namespace {

#ifndef XDP_MAX_TX_SKB_BUDGET
constexpr int XDP_MAX_TX_SKB_BUDGET = 9;  // Linux 6.18
#endif
constexpr std::uint16_t kMultiBuffer = 1 << 4;  // XDP_USE_SG, Linux 6.6
/// In copy mode sent frames are charged to the socket until the far end has taken them.
constexpr int kSendBuffer = 64 << 20;
constexpr std::uint64_t kReleaseTime = 1'000'000'000;  // nanoseconds

int get(int fd, int level, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : -1;
}

void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

std::string yes_or_no(bool value) {
  return value ? "yes" : "no";
}

}  // namespace

Result<std::unique_ptr<Queue>> Queue::open(const QueueOptions& options, const std::stop_token& cancel) {
  // A closed AF_XDP socket gives its queue back later, from a work queue (xp_put_pool() in the kernel), even when its
  // process is gone already, and nothing tells when.
  const std::uint64_t deadline = now_ns() + kReleaseTime;
  for (;;) {
    auto queue = open_once(options);
    if (queue || queue.error().fault != Fault::busy || now_ns() > deadline) {
      return queue;
    }
    if (!pause(cancel, std::chrono::milliseconds(2))) {
      return fail(Fault::cancelled,
                  fmt::format("waiting for queue {} of {} was called off", options.queue, options.interface));
    }
  }
}

Result<std::unique_ptr<Queue>> Queue::open_once(const QueueOptions& options) {
  const xdp::Messages messages;
  WAGGLE_LET(memory, Slab::create(options.rx_frames + options.tx_frames, options.chunk, options.hugepages));
  std::unique_ptr<Queue> queue(new Queue(options, std::move(memory)));
  WAGGLE_TRY(queue->register_memory());
  queue->fill_up();
  WAGGLE_TRY(queue->bind());
  WAGGLE_TRY(queue->set_busy_poll());
  WAGGLE_TRY(queue->read_back());
  return queue;
}

Queue::~Queue() {
  if (socket_ != nullptr) {
    xsk_socket__delete(socket_);
  }
  if (umem_ != nullptr) {
    xsk_umem__delete(umem_);
  }
}

Result<> Queue::register_memory() {
  xsk_umem_config config{};
  config.fill_size = options_.rx_frames;
  config.comp_size = options_.tx_frames;
  config.frame_size = options_.chunk;
  const std::uint64_t bytes = std::uint64_t{options_.rx_frames + options_.tx_frames} * options_.chunk;
  const int error = -xsk_umem__create(&umem_, memory_.data(), bytes, &fill, &completion, &config);
  if (error == 0) {
    return {};
  }
  if (error == ENOBUFS) {
    return fail(Fault::missing, fmt::format("cannot lock {} MiB of frames for AF_XDP", bytes >> 20),
                "raise `ulimit -l`, or run it as root");
  }
  if (error == EPERM) {
    return fail(Fault::missing, "cannot open an AF_XDP socket: only root may",
                "run it with sudo, or with CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW");
  }
  if (error == EAFNOSUPPORT) {
    return fail(Fault::missing, "this kernel has no AF_XDP sockets", "use a kernel with CONFIG_XDP_SOCKETS");
  }
  return fail_errno("cannot register frames with AF_XDP", error);
}

void Queue::fill_up() {
  std::uint32_t at = 0;
  const std::uint32_t count = xsk_ring_prod__reserve(&fill, options_.rx_frames, &at);
  for (std::uint32_t index = 0; index < count; ++index) {
    *xsk_ring_prod__fill_addr(&fill, at + index) = std::uint64_t{options_.tx_frames + index} * options_.chunk;
  }
  xsk_ring_prod__submit(&fill, count);
}

Result<> Queue::bind() {
  if (options_.zero_copy != "auto" && options_.zero_copy != "yes" && options_.zero_copy != "no") {
    return fail(Fault::usage, fmt::format("afxdp.zero_copy={} makes no sense", options_.zero_copy),
                "choose auto, yes or no");
  }
  xsk_socket_config config{};
  config.rx_size = options_.rx_frames;
  config.tx_size = options_.tx_frames;
  config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
  const bool forced = options_.zero_copy == "yes" && !options_.allow_fallback;
  config.bind_flags = static_cast<std::uint16_t>((options_.need_wakeup ? XDP_USE_NEED_WAKEUP : 0) |
                                                 (options_.multi_buffer ? kMultiBuffer : 0) |
                                                 (forced                       ? XDP_ZEROCOPY
                                                  : options_.zero_copy == "no" ? XDP_COPY
                                                                               : 0));
  const int error = -xsk_socket__create(&socket_, options_.interface.c_str(), options_.queue, umem_, &rx, &tx, &config);
  switch (error) {
    case 0: return {};
    case EBUSY:
      return fail(Fault::busy,
                  fmt::format("queue {} of {} has an AF_XDP socket already", options_.queue, options_.interface),
                  "stop what uses it");
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
      return fail(Fault::missing, fmt::format("{} does not grant zero-copy AF_XDP", options_.interface),
                  "set afxdp.zero_copy=auto");
    case EINVAL:
      if (options_.multi_buffer) {
        return fail(Fault::missing, "this kernel does not grant frames over several buffers",
                    "use Linux 6.6 or later, or set afxdp.multi_buffer=no");
      }
      return fail(Fault::missing, fmt::format("{} has no queue {} for AF_XDP", options_.interface, options_.queue),
                  "lower afxdp.queues");
    default: return fail_errno(fmt::format("cannot bind an AF_XDP socket to {}", options_.interface), error);
  }
}

Result<> Queue::set_busy_poll() {
  // Without CAP_NET_ADMIN less is granted, and with less it works, only slower.
  set(fd(), SOL_SOCKET, SO_SNDBUFFORCE, kSendBuffer);
  set(fd(), SOL_XDP, XDP_MAX_TX_SKB_BUDGET, static_cast<int>(std::max(32U, options_.tx_frames)));
  if (options_.busy_poll == 0) {
    modes_.push_back({"busy_poll", "0", "0"});
    return {};
  }
  set(fd(), SOL_SOCKET, SO_PREFER_BUSY_POLL, 1);
  set(fd(), SOL_SOCKET, SO_BUSY_POLL, static_cast<int>(options_.busy_poll));
  set(fd(), SOL_SOCKET, SO_BUSY_POLL_BUDGET, static_cast<int>(options_.busy_budget));
  const bool preferred = get(fd(), SOL_SOCKET, SO_PREFER_BUSY_POLL) == 1;
  const int micros = preferred ? get(fd(), SOL_SOCKET, SO_BUSY_POLL) : 0;
  WAGGLE_LET(mode, grant({"busy_poll", std::to_string(options_.busy_poll), std::to_string(micros)},
                         options_.allow_fallback, "use Linux 5.11 or later and run it as root"));
  modes_.push_back(mode);
  return {};
}

Result<> Queue::read_back() {
  xdp_options granted{};
  socklen_t size = sizeof granted;
  if (::getsockopt(fd(), SOL_XDP, XDP_OPTIONS, &granted, &size) != 0) {
    return fail_errno("cannot read back the options of an AF_XDP socket");
  }
  zero_copy_ = (granted.flags & XDP_OPTIONS_ZEROCOPY) != 0;
  WAGGLE_LET(mode, grant({"zero_copy", options_.zero_copy, yes_or_no(zero_copy_)}, options_.allow_fallback,
                         "set afxdp.zero_copy=auto"));
  modes_.push_back(mode);
  // Bind flags are granted or refused as a whole.
  modes_.push_back({"need_wakeup", yes_or_no(options_.need_wakeup), yes_or_no(options_.need_wakeup)});
  modes_.push_back({"multi_buffer", yes_or_no(options_.multi_buffer), yes_or_no(options_.multi_buffer)});
  modes_.push_back({"umem", options_.hugepages ? "hugepages" : "pages", options_.hugepages ? "hugepages" : "pages"});
  modes_.push_back({"chunk", std::to_string(options_.chunk), std::to_string(options_.chunk)});
  return {};
}

xdp_statistics Queue::statistics() const {
  xdp_statistics statistics{};
  socklen_t size = sizeof statistics;
  ::getsockopt(fd(), SOL_XDP, XDP_STATISTICS, &statistics, &size);
  return statistics;
}

}  // namespace waggle::packet
