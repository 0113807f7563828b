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

/// With copies in user space that code of DPDK's makes: the model is all that is known of them.
CopyModel of_driver(CopyModel model) {
  model.uncounted = model.because;
  return model;
}

CopyModel dpdk_copies(Side side, const PortUse& use) {
  const bool sends = side == Side::sender;
  if (use.link == "vhost") {
    if (!vhost_is_here(use.settings.text("vhost_end"), use.listens)) {
      return {.because = "net_virtio_user: mbufs are the ring's buffers"};
    }
    return of_driver({.user = 1, .because = sends ? "net_vhost: mbuf -> ring" : "net_vhost: ring -> mbuf"});
  }
  if (use.link == "nic") {
    return {};
  }
  if (use.settings.text("driver") == "af_xdp") {
    return sends ? CopyModel{.kernel = 1, .because = "net_af_xdp in copy mode: mbuf -> skb"}
                 : CopyModel{.kernel = 2, .because = "net_af_xdp in copy mode: veth skb -> XDP page -> mbuf"};
  }
  // A packet that is sent refers to the ring's pages (tpacket_fill_skb() in the kernel). The far end's XDP program
  // wants it in a page of its own.
  return of_driver(
      sends ? CopyModel{.user = 1, .because = "net_af_packet: mbuf -> ring"}
            : CopyModel{.kernel = 2, .user = 1, .because = "net_af_packet: skb -> XDP page -> ring, ring -> mbuf"});
}

std::vector<Need> dpdk_needs(const PortUse& use) {
  std::vector<Need> needs;
  if (use.link == "vhost") {
    needs.push_back({.kind = Need::Kind::machine, .what = "both ends on one machine, whose memory they share"});
  } else {
    needs.push_back({.kind = Need::Kind::root, .what = "root: DPDK takes frames from the device itself"});
  }
  if (use.link == "veth") {  // either driver has one there
    needs.push_back({.kind = Need::Kind::interface, .what = "an XDP program at the interface, which takes only one"});
  }
  if (use.link == "nic") {
    needs.push_back({.kind = Need::Kind::device, .what = "the network card for itself (VFIO)"});
  }
  if (use.settings.text("wait") == "poll") {
    needs.push_back(
        {.kind = Need::Kind::core, .what = "a core at each end that polls, also while nothing moves (dpdk.wait=poll)"});
  }
  return needs;
}

const Registration dpdk_registration = add_port({.name = "dpdk",
                                                 .summary = "our transport over DPDK's poll-mode drivers",
                                                 .links = {"vhost", "veth", "nic"},
                                                 .copies = dpdk_copies,
                                                 .options = option_list(),
                                                 .heeds = {ChannelOption::mtu, ChannelOption::pci},
                                                 .available = available,
                                                 .shared = true,
                                                 .hugepage_bytes = [](const PortUse&) { return kHugepageBytes; },
                                                 .needs = dpdk_needs},
                                                open_ports);

}  // namespace
}  // namespace waggle::packet::dpdk
