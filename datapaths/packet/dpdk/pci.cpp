// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/pci.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>

namespace waggle::packet::dpdk {
namespace {

/// The first give the device to user space, the others keep it and let DPDK in beside them (guide to NICs, "mlx5").
constexpr std::array<std::string_view, 5> kUsable = {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core",
                                                     "mlx4_core"};

}  // namespace

Result<> check_pci(const std::string& address, const std::filesystem::path& devices) {
  static const std::regex form("[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]");
  if (!std::regex_match(address, form)) {
    return fail(Fault::usage, fmt::format("'{}' is no PCI address", address), "give one as in 0000:3b:00.0 (lspci -D)");
  }
  std::error_code error;
  const std::filesystem::path device = devices / address;
  if (!std::filesystem::exists(device, error)) {
    return fail(Fault::missing, fmt::format("there is no PCI device {}", address), "lspci -D shows those there are");
  }
  const std::string driver = std::filesystem::read_symlink(device / "driver", error).filename();
  if (std::ranges::find(kUsable, driver) != kUsable.end()) {
    return {};
  }
  return fail(Fault::missing,
              driver.empty() ? fmt::format("the PCI device {} has no driver", address)
                             : fmt::format("the PCI device {} is the kernel's, by its driver {}", address, driver),
              fmt::format("give it to user space: dpdk-devbind.py --bind=vfio-pci {}", address));
}

}  // namespace waggle::packet::dpdk
