// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <optional>

#include "base/tally.hpp"
#include "datapaths/packet/dpdk/arp.hpp"
#include "datapaths/packet/dpdk/device_set.hpp"
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
  Station here;                            ///< the near end; with address 0 the first frame to our UDP port tells it
  std::string driver;                      ///< asked for
  Interface interface;                     ///< link veth: the device below
  std::optional<UdpReservation> udp_port;  ///< link veth
  UniqueFd apart;                          ///< link veth: see keep_packets_apart()
  bool own_arp = false;                    ///< the kernel does not see the frames
  Place place;                             ///< link vhost
  Pool pool;
  DeviceSet::Owner devices;
};

/// A port over one queue of one Ethernet device, or over several point-to-point ones.
class DpdkPort final : public Port {
 public:
  explicit DpdkPort(Parts parts) : parts_(std::move(parts)), devices_(*parts_.devices) {}

  Capabilities capabilities() const override;
  Peer local() const override { return {parts_.here.ip, parts_.here.port, parts_.here.mac}; }
  bool past_kernel() const override { return true; }
  std::size_t lease(std::span<TxFrame> frames) override;
  Result<std::size_t> send(std::span<const TxFrame> frames) override;
  void give_back(std::span<const TxFrame> frames) override;
  Result<std::size_t> poll(std::span<RxFrame> frames) override;
  void release(std::span<const RxFrame> frames) override;
  void reclaim() override;
  Result<Watch> arm(Time deadline) override;
  void disarm() override;
  Time due() const override { return devices_.stashed().empty() ? kNever : 0; }
  Result<Peer> resolve(Peer peer, const std::stop_token& cancel) override;
  std::vector<Mode> modes() const override;
  Counters counters() const override;

  /// Whether the other end of the first device is there.
  bool up() const { return devices_.size() > 0 && devices_[0].up(); }

 private:
  std::size_t send_on(Device& device, const Station& here, std::span<const TxFrame> frames);
  std::size_t receive(std::span<rte_mbuf*> mbufs);
  void on_other(ByteView frame);
  void send_arp(const ArpFrame& frame);
  Result<Peer> ask_for(Peer peer, const std::stop_token& cancel);
  std::size_t take(std::span<rte_mbuf*> mbufs, std::span<RxFrame> frames);

  Parts parts_;
  DeviceSet& devices_;
  std::uint32_t idle_polls_ = 0;  ///< in a row
  std::size_t busy_device_ = 0;
  std::size_t next_device_ = 0;
  std::uint32_t polls_ = 0;
  std::optional<ArpNews> heard_;  ///< of the address that is asked for

  struct {
    Tally sent, received, tx_bursts, rx_bursts, empty_polls, tx_ring_full, no_mbufs, foreign, segmented, wakeup_calls;
  } count_;
};

}  // namespace waggle::packet::dpdk
