// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "datapaths/packet/dpdk/eal.hpp"
#include "datapaths/packet/dpdk/options.hpp"

namespace waggle::packet::dpdk {

struct FreePool {
  void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
};
/// Mbufs in hugepages.
using Pool = std::unique_ptr<rte_mempool, FreePool>;

/// Fault::missing when there are too few hugepages.
Result<Pool> make_pool(const Options& options);

/// One Ethernet device of the EAL with a queue pair, started; stopped and unplugged by destruction. Its mbufs come from
/// a pool that must outlive it.
class Device {
 public:
  static Result<std::unique_ptr<Device>> open(const std::string& bus, const std::string& name,
                                              const std::string& arguments, const Options& options, rte_mempool* pool);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  std::size_t receive(std::span<rte_mbuf*> mbufs) {
    return rte_eth_rx_burst(id_, 0, mbufs.data(), static_cast<std::uint16_t>(mbufs.size()));
  }
  /// Takes a prefix of the mbufs and says how long it is. When the other end is gone it takes and drops what does not
  /// fit: nobody will ever empty that ring, and frames for others may come behind these.
  std::size_t send(std::span<rte_mbuf*> mbufs) {
    const std::size_t sent = rte_eth_tx_burst(id_, 0, mbufs.data(), static_cast<std::uint16_t>(mbufs.size()));
    return sent == mbufs.size() ? sent : sent + drop_when_down(mbufs.subspan(sent));
  }

  /// Whether the other end is there.
  bool up() const;
  /// The device's own Ethernet address.
  std::array<std::uint8_t, 6> mac() const;
  /// A descriptor for epoll(7), edge-triggered, that tells of frames between arm() and disarm(); -1 without interrupts.
  int wait_fd() const { return wait_fd_; }
  void arm() { rte_eth_dev_rx_intr_enable(id_, 0); }
  void disarm() { rte_eth_dev_rx_intr_disable(id_, 0); }
  bool checksum_offload() const { return checksum_offload_; }
  /// Name of the poll-mode driver, as it says itself.
  const std::string& driver() const { return driver_; }
  /// Takes back mbufs that have been sent, where the driver can.
  void clean() const { rte_eth_tx_done_cleanup(id_, 0, 0); }

  /// Frames that the device has dropped on the way in, and those for which it found no mbuf. From any thread.
  std::uint64_t line_rate() const;  ///< bit/s; 0: not known
  std::uint64_t dropped() const;
  std::uint64_t without_mbuf() const;

 private:
  explicit Device(Plugged plugged) : plugged_(std::move(plugged)), id_(plugged_.id()) {}
  Result<> configure(const Options& options, rte_mempool* pool);
  Result<> start();
  std::size_t drop_when_down(std::span<rte_mbuf*> mbufs);

  Plugged plugged_;
  std::uint16_t id_;
  int wait_fd_ = -1;
  std::uint32_t full_ = 0;  // bursts that did not fit
  bool down_ = false;       // at the last look
  bool checksum_offload_ = false;
  bool tells_link_ = false;  // by an interrupt
  std::string driver_;
};

}  // namespace waggle::packet::dpdk
