// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <fstream>

#include "datapaths/packet/dpdk/eal.hpp"
#include "datapaths/packet/dpdk/open.hpp"
#include "datapaths/packet/dpdk/options.hpp"

namespace waggle::packet::dpdk {
namespace {

/// Without touching the EAL: whether this machine can have hugepages at all, and has some or lets us reserve them.
Result<> available() {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  std::uint64_t value = 0;
  std::uint64_t pages = 0;
  bool known = false;
  while (meminfo >> name >> value) {
    known = known || name == "Hugepagesize:";
    pages = name == "HugePages_Total:" ? value : pages;
    meminfo.ignore(64, '\n');
  }
  if (!known) {
    return fail(Fault::missing, "this kernel has no hugepages", "use one with CONFIG_HUGETLBFS");
  }
  if (pages == 0 && ::geteuid() != 0) {
    return fail(Fault::missing, "no hugepages are reserved, and only root may do that",
                "echo 64 | sudo tee /proc/sys/vm/nr_hugepages");
  }
  return {};
}

CopyModel copies(Side side, std::string_view link) {
  if (link == "vhost") {
    // By default the client is net_vhost, and its side of a download receives.
    return side == Side::receiver ? CopyModel{.user = 1, .because = "net_vhost: ring -> mbuf"}
                                  : CopyModel{.because = "net_virtio_user: mbufs are the ring's buffers"};
  }
  return side == Side::receiver ? CopyModel{.kernel = 1, .user = 1, .because = "af_packet: skb -> ring, ring -> mbuf"}
                                : CopyModel{.kernel = 1, .user = 1, .because = "af_packet: mbuf -> ring, ring -> skb"};
}

const Registration registration = add_port({.name = "dpdk",
                                            .summary = "our transport over DPDK's poll-mode drivers",
                                            .links = {"vhost", "veth", "nic"},
                                            .copies = copies,
                                            .options = option_list(),
                                            .available = available,
                                            .shared = true,
                                            .hugepage_bytes = kHugepageBytes},
                                           open_ports);

}  // namespace
}  // namespace waggle::packet::dpdk
