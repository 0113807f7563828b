// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/device.hpp"

#include <fmt/format.h>
#include <rte_errno.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "datapaths/packet/dpdk/stop.hpp"

namespace waggle::packet::dpdk {
namespace {

/// A stack, since the mbuf freed last is then the next in use and still in the CPU's cache. No mbufs are kept at hand
/// per thread: those of threads that are idle are missing elsewhere, and with many connections none would be left to
/// receive into, for ever.
constexpr unsigned kCache = 0;
constexpr const char* kOrder = "stack";

/// One full ring in so many looks whether the other end is still there.
constexpr std::uint32_t kLook = 256;

constexpr auto kAnySocket = static_cast<unsigned>(SOCKET_ID_ANY);

std::unexpected<Error> refused(const std::string& what, int error) {
  const std::string why = first_complaint();
  return fail(Fault::missing, fmt::format("{}: {}", what, why.empty() ? rte_strerror(std::abs(error)) : why),
              "WAGGLE_DPDK_LOG=FILE keeps DPDK's log");
}

}  // namespace

Result<Pool> make_pool(const Options& options) {
  static std::atomic<int> made{0};
  Pool pool(rte_pktmbuf_pool_create_by_ops(fmt::format("waggle{}", made++).c_str(), options.mbufs, kCache, 0,
                                           options.data_room, SOCKET_ID_ANY, kOrder));
  if (!pool) {
    const auto bytes = std::uint64_t{options.mbufs} * (options.data_room + 192U);
    return fail(Fault::missing,
                fmt::format("cannot get {} MiB of hugepages for {} mbufs: {}", (bytes >> 20) + 1, options.mbufs,
                            rte_strerror(rte_errno)),
                fmt::format("reserve them: echo {} | sudo tee /proc/sys/vm/nr_hugepages",
                            2 * (std::max(bytes, kHugepageBytes) >> 21) + 1));
  }
  return pool;
}

Result<std::unique_ptr<Device>> Device::open(const std::string& bus, const std::string& name,
                                             const std::string& arguments, const Options& options, rte_mempool* pool) {
  const NoPipeSignal no_pipe;
  const QuietErrors quiet_errors;
  const NoLeakCheck no_leak_check;
  WAGGLE_LET(plugged, Plugged::make(bus, name, arguments));
  std::unique_ptr<Device> device(new Device(std::move(plugged)));
  WAGGLE_TRY(device->configure(options, pool));
  WAGGLE_TRY(device->start());
  return device;
}

Device::~Device() {
  const NoPipeSignal no_pipe;
  const QuietErrors quiet_errors;
  if (tells_link_) {
    stop_settled(id_);
  } else {
    rte_eth_dev_stop(id_);
  }
}

Result<> Device::configure(const Options& options, rte_mempool* pool) {
  rte_eth_dev_info info{};
  if (const int failed = rte_eth_dev_info_get(id_, &info); failed != 0) {
    return refused("DPDK knows nothing of its device", failed);
  }
  driver_ = info.driver_name;
  rte_eth_conf conf{};
  // Asked for only where the driver knows of link changes; it refuses otherwise.
  conf.intr_conf.lsc = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
  conf.intr_conf.rxq = options.interrupts;
  checksum_offload_ = options.checksum_offload && (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;
  conf.txmode.offloads = checksum_offload_ ? RTE_ETH_TX_OFFLOAD_UDP_CKSUM : 0;
  int failed = rte_eth_dev_configure(id_, 1, 1, &conf);
  if (failed != 0 && options.interrupts) {
    conf.intr_conf.rxq = 0;
    failed = rte_eth_dev_configure(id_, 1, 1, &conf);
  }
  if (failed != 0) {
    return refused("cannot configure DPDK's device", failed);
  }
  failed = rte_eth_rx_queue_setup(id_, 0, options.rx_descriptors, kAnySocket, nullptr, pool);
  if (failed == 0) {
    failed = rte_eth_tx_queue_setup(id_, 0, options.tx_descriptors, kAnySocket, nullptr);
  }
  if (failed != 0) {
    return refused("cannot set up the rings of DPDK's device", failed);
  }
  tells_link_ = conf.intr_conf.lsc != 0;
  wait_fd_ = conf.intr_conf.rxq != 0 ? 0 : -1;
  return {};
}

Result<> Device::start() {
  if (const int failed = rte_eth_dev_start(id_); failed != 0) {
    return refused("cannot start DPDK's device", failed);
  }
  if (wait_fd_ == 0) {
    wait_fd_ = rte_eth_dev_rx_intr_ctl_q_get_fd(id_, 0);
  }
  return {};
}

std::size_t Device::drop_when_down(std::span<rte_mbuf*> mbufs) {
  if (full_++ % kLook == 0) {
    down_ = !up();
  }
  if (!down_) {
    return 0;
  }
  rte_pktmbuf_free_bulk(mbufs.data(), static_cast<unsigned>(mbufs.size()));
  return mbufs.size();
}

bool Device::up() const {
  const NoPipeSignal no_pipe;
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

std::uint64_t Device::line_rate() const {
  rte_eth_link link{};
  const bool known = rte_eth_link_get_nowait(id_, &link) == 0 && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
  return known ? std::uint64_t{link.link_speed} * 1'000'000U : 0;
}

std::array<std::uint8_t, 6> Device::mac() const {
  rte_ether_addr address{};
  rte_eth_macaddr_get(id_, &address);
  std::array<std::uint8_t, 6> mac{};
  std::memcpy(mac.data(), address.addr_bytes, mac.size());
  return mac;
}

std::uint64_t Device::dropped() const {
  rte_eth_stats stats{};
  return rte_eth_stats_get(id_, &stats) == 0 ? stats.imissed + stats.ierrors : 0;
}

std::uint64_t Device::without_mbuf() const {
  rte_eth_stats stats{};
  return rte_eth_stats_get(id_, &stats) == 0 ? stats.rx_nombuf : 0;
}

}  // namespace waggle::packet::dpdk
