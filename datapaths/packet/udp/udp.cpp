// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/udp/port.hpp"

namespace waggle::packet {
namespace {

CopyModel udp_copies(Side side, const PortUse&) {
  return side == Side::sender ? CopyModel{1, 0, "sendmmsg: frame -> skb"} : CopyModel{1, 0, "recvmmsg: skb -> frame"};
}

const Registration udp_registration =
    add_port({.name = "udp",
              .summary = "our own transport over kernel UDP: sendmmsg and recvmmsg, segmentation offload both ways",
              .links = {"veth", "loopback", "nic"},
              .copies = udp_copies,
              .options = udp_options(),
              .heeds = {ChannelOption::send_buffer, ChannelOption::receive_buffer}},
             open_udp_ports);

}  // namespace
}  // namespace waggle::packet
