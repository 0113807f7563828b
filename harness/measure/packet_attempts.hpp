// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "base/result.hpp"

/// Single attempts at what packet datapaths need, like those in attempts.hpp: those that change anything make a network
/// namespace first and are meant to be run in a child().
namespace waggle::measure::attempt {

enum class XdpMode { native, generic };

/// An AF_XDP socket in copy mode on a veth with an XDP program attached in this mode.
Result<> afxdp(XdpMode mode);
/// The same, native and with zero-copy, which no veth has.
Result<> afxdp_zero_copy();
/// Native, with frames of more than one buffer at an MTU of 9,000 bytes.
Result<> afxdp_multi_buffer();
/// Receive work of a veth in kernel threads.
Result<> threaded_napi();
/// The shared objects of those DPDK drivers that the datapath dpdk uses.
Result<> dpdk_drivers();
/// A device handed to user space through an IOMMU.
Result<> vfio();

}  // namespace waggle::measure::attempt
