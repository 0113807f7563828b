// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <vector>

#include "datapaths/packet/port.hpp"

namespace waggle::packet {

/// Ports over AF_XDP sockets, one per queue of the interface that the local address (when it listens) or the route to
/// the server decides. Our XDP program is attached as long as one of them lives.
Result<std::vector<std::unique_ptr<Port>>> open_afxdp_ports(const PortRequest& request);
/// With their defaults, for Settings::of("afxdp", …).
std::vector<OptionInfo> afxdp_options();
/// What the frames of a process take at most, with afxdp.umem=hugepages.
std::uint64_t afxdp_hugepage_bytes(const PortUse& use);
/// Fault::missing when this kernel or user cannot open AF_XDP sockets or load XDP programs.
Result<> afxdp_available();

}  // namespace waggle::packet
