// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/port.hpp"

namespace waggle::packet {
namespace {

CopyModel simulated_copies(Side side, const PortUse&) {
  return side == Side::sender ? CopyModel{1, 0, "sendmmsg: frame -> skb"}
                              : CopyModel{1, 1, "recvmmsg: skb -> frame; our code: frame -> virtual link"};
}

const Registration simulated_registration = add_port(
    {.name = "simulated",
     .summary = "our own transport over kernel UDP behind a virtual link that loses, delays and damages by a seed",
     .links = {"veth", "loopback"},
     .copies = simulated_copies,
     .options = simulated_options(),
     .heeds = {ChannelOption::send_buffer, ChannelOption::receive_buffer},
     .demonstrates = true},
    open_simulated_ports);

}  // namespace
}  // namespace waggle::packet
