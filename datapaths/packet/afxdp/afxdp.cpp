// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/afxdp/port.hpp"
#include "datapaths/packet/afxdp/queue_port.hpp"

namespace waggle::packet {
namespace {

constexpr std::uint32_t kLargestChunk = 4096;

CopyModel afxdp_copies(Side side, const PortUse& use) {
  const bool veth = use.link == "veth";
  CopyModel model{.kernel = veth && side == Side::receiver ? 2.0 : 1.0,
                  .because = side == Side::sender ? "copy mode: UMEM -> skb"
                             : veth               ? "copy mode: veth skb -> XDP page -> UMEM"
                                                  : "copy mode: driver's page -> UMEM"};
  // Without a fallback it is granted or refused.
  if (use.settings.text("zero_copy") == "yes" && !use.settings.allow_fallback()) {
    model = {.because = "zero-copy: the device reads and writes UMEM"};
  }
  if (side == Side::receiver && use.settings.flag("multi_buffer") &&
      use.mtu > kIpAndUdp + QueuePort::room(kLargestChunk)) {
    model.user = 1;
    model.because += "; our code: chunks -> one frame";
  }
  return model;
}

std::vector<Need> afxdp_needs(const PortUse&) {
  return {{.kind = Need::Kind::root, .what = "root, or CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW"},
          {.kind = Need::Kind::interface, .what = "an XDP program of ours at the interface, which takes only one"}};
}

const Registration afxdp_registration =
    add_port({.name = "afxdp",
              .summary = "our own transport over AF_XDP: frames in shared memory, around the kernel's network stack",
              .links = {"veth", "nic"},
              .copies = afxdp_copies,
              .options = afxdp_options(),
              .available = afxdp_available,
              .shared = true,
              .hugepage_bytes = afxdp_hugepage_bytes,
              .needs = afxdp_needs},
             open_afxdp_ports);

}  // namespace
}  // namespace waggle::packet
