// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <linux/if_xdp.h>
#include <xdp/xsk.h>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/packet/slab.hpp"

namespace waggle::packet {

/// In a descriptor: the frame goes on in the next one (XDP_PKT_CONTD, which headers before Linux 6.6 lack).
inline constexpr std::uint32_t kGoesOn = 1;

/// How an AF_XDP socket is set up. Sizes of rings are powers of two.
struct QueueOptions {
  std::string interface;
  std::uint32_t queue = 0;
  std::uint32_t chunk = 2048;      ///< bytes of UMEM per frame, 2048 or 4096
  std::uint32_t rx_frames = 2048;  ///< also the sizes of the RX and the fill ring
  std::uint32_t tx_frames = 256;   ///< also the sizes of the TX and the completion ring
  std::string zero_copy = "auto";  ///< "auto", "yes" or "no"
  bool need_wakeup = true;
  bool hugepages = false;
  bool multi_buffer = false;    ///< frames may be longer than a chunk (XDP_USE_SG, Linux 6.6)
  std::uint32_t busy_poll = 0;  ///< microseconds
  std::uint32_t busy_budget = 64;
  bool allow_fallback = false;
};

/// An AF_XDP socket with its UMEM and four rings (https://docs.kernel.org/networking/af_xdp.html). Chunks [0,
/// tx_frames) of the UMEM are for sending, the rest is for receiving. The rings are used directly by the port.
class Queue {
 public:
  /// Fault::missing for what the kernel does not grant, Fault::busy when the queue has an AF_XDP socket already and
  /// keeps it for a second, Fault::cancelled when waiting for that is called off. The fill ring is filled before the
  /// socket is bound: a driver that finds it empty may not look again.
  static Result<std::unique_ptr<Queue>> open(const QueueOptions& options, const std::stop_token& cancel);
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue();

  int fd() const { return xsk_socket__fd(socket_); }
  std::byte* at(std::uint64_t address) const { return memory_.data() + address; }
  std::byte* memory() const { return memory_.data(); }
  std::uint32_t chunk() const { return options_.chunk; }
  const QueueOptions& options() const { return options_; }
  bool zero_copy() const { return zero_copy_; }
  const std::vector<Mode>& modes() const { return modes_; }
  xdp_statistics statistics() const;

  xsk_ring_prod fill{};
  xsk_ring_prod tx{};
  xsk_ring_cons completion{};
  xsk_ring_cons rx{};

 private:
  Queue(const QueueOptions& options, Slab memory) : options_(options), memory_(std::move(memory)) {}
  static Result<std::unique_ptr<Queue>> open_once(const QueueOptions& options);
  Result<> register_memory();
  void fill_up();
  Result<> bind();
  Result<> set_busy_poll();
  Result<> read_back();

  QueueOptions options_;
  Slab memory_;
  xsk_umem* umem_ = nullptr;
  xsk_socket* socket_ = nullptr;
  bool zero_copy_ = false;
  std::vector<Mode> modes_;
};

}  // namespace waggle::packet
