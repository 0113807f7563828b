// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/pci.hpp"

#include <catch2/catch.hpp>

#include "base/testing/folder.hpp"

using waggle::Fault;
using waggle::packet::dpdk::check_pci;

namespace fs = std::filesystem;

namespace {

/// What the kernel shows of a few devices.
class Devices : public waggle::test::Folder {
 public:
  void add(const std::string& address, const std::string& driver) const {
    fs::create_directory(path() / address);
    if (!driver.empty()) {
      fs::create_symlink("../../../bus/pci/drivers/" + driver, path() / address / "driver");
    }
  }
};

}  // namespace

TEST_CASE("a NIC that the kernel uses is never taken from it") {
  const Devices devices;
  devices.add("0000:00:03.0", "virtio-pci");
  devices.add("0000:00:04.0", "");
  for (const auto* address : {"0000:00:03.0", "0000:00:04.0", "0000:00:05.0"}) {
    const auto checked = check_pci(address, devices.path());
    REQUIRE_FALSE(checked);
    CHECK(checked.error().fault == Fault::missing);
    CHECK(checked.error().text().find(address) != std::string::npos);
  }
  CHECK(check_pci("0000:00:03.0", devices.path()).error().text().find("virtio-pci") != std::string::npos);
}

TEST_CASE("a NIC that user space has been given is taken") {
  const Devices devices;
  devices.add("0000:3b:00.0", "vfio-pci");
  devices.add("0000:3b:00.1", "mlx5_core");
  CHECK(check_pci("0000:3b:00.0", devices.path()));
  CHECK(check_pci("0000:3b:00.1", devices.path()));
}

TEST_CASE("what is no PCI address is wrong use") {
  const Devices devices;
  for (const auto* address : {"", "banana", "3b:00.0", "0000:3b:00.8", "0000:3b:00.0,0000:3b:00.1", "../driver"}) {
    INFO(address);
    const auto checked = check_pci(address, devices.path());
    REQUIRE_FALSE(checked);
    CHECK(checked.error().fault == Fault::usage);
  }
}
