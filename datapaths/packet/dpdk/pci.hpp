// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace waggle::packet::dpdk {

/// Whether the PCI device at this address, as in "0000:3b:00.0", is DPDK's to take: bound to a driver for user space,
/// or to one that shares it with DPDK. Asked before the EAL starts, since some of its drivers would take a device from
/// the kernel. Fault::usage for what is no address; Fault::missing, with the command that would help, for a device that
/// is not there or is the kernel's.
Result<> check_pci(const std::string& address, const std::filesystem::path& devices = "/sys/bus/pci/devices");

}  // namespace waggle::packet::dpdk
