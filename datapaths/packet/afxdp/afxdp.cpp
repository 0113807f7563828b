// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/afxdp/port.hpp"

namespace waggle::packet {
namespace {

CopyModel copies(Side side, const PortUse& use) {
  const bool veth = use.link == "veth";
  if (side == Side::sender) {
    return {.kernel = 1, .because = "copy mode: UMEM -> skb"};
  }
  return {.kernel = veth ? 2.0 : 1.0,
          .because = veth ? "copy mode: veth skb -> XDP page -> UMEM" : "copy mode: driver's page -> UMEM"};
}

const Registration registration =
    add_port({.name = "afxdp",
              .summary = "our own transport over AF_XDP: frames in shared memory, around the kernel's network stack",
              .links = {"veth", "nic"},
              .copies = copies,
              .options = afxdp_options(),
              .available = afxdp_available,
              .shared = true,
              .hugepage_bytes = afxdp_hugepage_bytes},
             open_afxdp_ports);

}  // namespace
}  // namespace waggle::packet
