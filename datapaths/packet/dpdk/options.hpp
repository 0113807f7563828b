// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "datapaths/settings.hpp"

namespace waggle::packet::dpdk {

/// The options of the dpdk port, read, checked and with what was left to us decided.
struct Options {
  std::string link;               ///< "vhost", "veth" or "nic"
  std::string driver;             ///< "af_packet" or "af_xdp" on a veth; otherwise empty
  bool vhost_here = false;        ///< on link vhost: this end is net_vhost, which copies; otherwise net_virtio_user
  bool packed_ring = false;       ///< on link vhost: packed virtqueues (virtio 1.1, section 2.7), otherwise split ones
  bool interrupts = false;        ///< wait() sleeps
  bool direct = false;            ///< frames suit O_DIRECT
  bool checksum = false;          ///< UDP checksums are filled in
  bool checksum_offload = false;  ///< by the device
  std::uint16_t rx_descriptors = 0;
  std::uint16_t tx_descriptors = 0;
  std::uint16_t data_room = 0;  ///< bytes of an mbuf's buffer, with its head room
  std::uint32_t mbufs = 0;
  std::uint32_t mtu = 0;      ///< bytes of the IP packet
  std::uint16_t clients = 1;  ///< on link vhost: how many a listener takes
  bool allow_fallback = false;
  std::string cpus;  ///< of EAL's own threads; empty: the calling thread's

  /// Bytes of the largest packet.
  std::uint32_t packet() const;
};

/// Whether the end that listens, or the one that connects, is net_vhost with this dpdk.vhost_end.
constexpr bool vhost_is_here(std::string_view vhost_end, bool listens) {
  return (vhost_end == "server") == listens;
}

/// As shown to the user.
std::vector<OptionInfo> option_list();

/// `device_mtu` is that of the kernel interface, 0 where there is none. Fault::usage for nonsense, Fault::missing for
/// an MTU that is too small.
Result<Options> read_options(const Settings& settings, const ChannelOptions& channel, bool listens,
                             std::uint32_t device_mtu);

}  // namespace waggle::packet::dpdk
