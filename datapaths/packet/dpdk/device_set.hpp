// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"
#include "datapaths/packet/dpdk/device.hpp"
#include "datapaths/packet/port.hpp"

namespace waggle::packet::dpdk {

/// What a device is opened with.
struct DeviceName {
  std::string bus;
  std::string name;
  std::string arguments;
  std::uint8_t number = 0;  ///< on link vhost the client's, and the second byte of Ethernet addresses on its link
  std::string socket;       ///< of a net_virtio_user that waits for its client, otherwise empty
};

/// The devices of one port. A net_virtio_user in server mode cannot be opened before its client has come: such are
/// opened one after the other by a thread, and join the set when they are ready. The others are all there from the
/// start.
class DeviceSet {
 public:
  struct Close {
    void operator()(DeviceSet* set) const { close(std::unique_ptr<DeviceSet>(set)); }
  };
  using Owner = std::unique_ptr<DeviceSet, Close>;

  /// Opens the devices, or starts to. The pool must outlive the set.
  static Result<Owner> open(std::vector<DeviceName> names, const Options& options, rte_mempool* pool);
  ~DeviceSet();
  DeviceSet(const DeviceSet&) = delete;
  DeviceSet& operator=(const DeviceSet&) = delete;

  /// How many are ready; never fewer than before.
  std::size_t size() const { return ready_.load(std::memory_order_acquire); }
  Device& operator[](std::size_t at) const { return *devices_[at]; }
  std::uint8_t number(std::size_t at) const { return names_[at].number; }
  /// The ready device of this number, or one that is there.
  std::size_t find(std::uint8_t number) const {
    const std::size_t at = static_cast<std::uint8_t>(number - names_.front().number);
    return at < size() ? at : 0;
  }
  /// Why a device could not be opened later on.
  Result<> trouble() const;

  /// Turns interrupts on. False when there are frames already, which are for stashed(). Otherwise watched() becomes
  /// readable as soon as one of them has received something, or another device is there.
  bool arm();
  /// Turns interrupts off again.
  void disarm();
  int watched() const { return epoll_.get(); }
  /// Whether all of them can tell of frames.
  bool sleeps() const { return sleeps_.load(std::memory_order_relaxed); }
  /// Frames received by arm(), in order.
  std::vector<rte_mbuf*>& stashed() { return stash_; }

 private:
  DeviceSet(std::vector<DeviceName> names, const Options& options, rte_mempool* pool);
  Result<> add(const DeviceName& name);
  Result<std::unique_ptr<Device>> open_device(const DeviceName& name) const;
  void open_in_turn();
  void open_each();
  void tell() const;
  static void close(std::unique_ptr<DeviceSet> set);

  const std::vector<DeviceName> names_;
  const Options options_;
  rte_mempool* const pool_;
  std::vector<std::unique_ptr<Device>> devices_;  ///< never moves: there is room for all
  std::atomic<std::size_t> ready_{0};
  std::atomic<bool> troubled_{false};
  mutable std::mutex mutex_;
  std::optional<Error> trouble_;

  UniqueFd epoll_;
  UniqueFd news_;  ///< eventfd(2), written by the opener
  std::atomic<bool> sleeps_;
  std::vector<rte_mbuf*> stash_;
  std::size_t armed_ = 0;  ///< devices whose interrupts are on

  std::atomic<bool> closing_{false};
  std::atomic<bool> opened_{false};  ///< the opener is about to end
  std::thread opener_;
};

}  // namespace waggle::packet::dpdk
