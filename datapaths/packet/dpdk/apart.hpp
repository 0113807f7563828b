// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace waggle::packet::dpdk {

/// Has a veth receive packets of at most its MTU for as long as the descriptor is open. A kernel at the other end would
/// otherwise hand over many packets as one (GSO), which does not fit into the ring of net_af_packet. The kernel cuts
/// them where the receiving veth has an XDP program, so it gets one that passes everything, by a bpf_link.
/// Fault::missing without the rights, or with EBUSY or EEXIST when the device has another program.
Result<UniqueFd> keep_packets_apart(int interface);

}  // namespace waggle::packet::dpdk
