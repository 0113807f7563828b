// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/tally.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/packet/dpdk/device.hpp"
#include "datapaths/packet/dpdk/options.hpp"
#include "datapaths/packet/dpdk/vhost.hpp"
#include "datapaths/packet/frame.hpp"
#include "datapaths/packet/port.hpp"
#include "datapaths/packet/route.hpp"
#include "datapaths/packet/udp_reservation.hpp"

namespace waggle::packet::dpdk {

/// What a port is made of. Devices come after the pool that their mbufs are from, so that they go first.
struct Parts {
  Options options;
  Station here;  ///< the near end; with address 0 the first frame to our UDP port tells it
  std::string drivers;
  Interface interface;                     ///< link veth: the device below
  std::optional<UdpReservation> udp_port;  ///< link veth
  Place place;                             ///< link vhost
  Pool pool;
  /// On link vhost a device leads to one client each; its number is the second byte of Ethernet addresses.
  std::vector<Device> devices;
};

/// A port over one queue of one Ethernet device, or over several point-to-point ones.
class DpdkPort final : public Port {
 public:
  static Result<std::unique_ptr<DpdkPort>> make(Parts parts);

  Capabilities capabilities() const override;
  std::uint16_t local_port() const override { return parts_.here.port; }
  std::size_t lease(std::span<TxFrame> frames) override;
  Result<std::size_t> send(std::span<const TxFrame> frames) override;
  void give_back(std::span<const TxFrame> frames) override;
  Result<std::size_t> poll(std::span<RxFrame> frames) override;
  void release(std::span<const RxFrame> frames) override;
  void reclaim() override;
  Result<> wait(Time deadline) override;
  void wake() noexcept override;
  Result<Peer> resolve(Peer peer) override;
  std::vector<Mode> modes() const override;
  Counters counters() const override;

  /// Whether the other end of the first device is there.
  bool up() const { return parts_.devices.front().up(); }

 private:
  explicit DpdkPort(Parts parts) : parts_(std::move(parts)) {}
  Result<> prepare_to_wait();
  std::size_t send_on(Device& device, const Station& here, std::span<const TxFrame> frames);
  std::size_t receive(std::span<rte_mbuf*> mbufs);
  std::size_t take(std::span<rte_mbuf*> mbufs, std::span<RxFrame> frames);
  bool stash_arrivals();
  std::size_t device_of(const Peer& peer) const;

  Parts parts_;
  UniqueFd epoll_;
  UniqueFd awake_;  ///< eventfd(2), written by wake()
  std::atomic<bool> woken_{false};
  bool sleeps_ = false;
  std::uint32_t idle_polls_ = 0;  ///< in a row
  std::size_t busy_device_ = 0;
  std::size_t next_device_ = 0;
  std::uint32_t polls_ = 0;
  std::vector<rte_mbuf*> stash_;  ///< received while getting ready to sleep

  struct {
    Tally sent, received, tx_bursts, rx_bursts, empty_polls, tx_ring_full, tx_unreachable, no_mbufs, foreign, segmented,
        wakeup_calls;
  } count_;
};

}  // namespace waggle::packet::dpdk
