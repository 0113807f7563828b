// SPDX-License-Identifier: BSD-2-Clause
#include "harness/topology/offloads.hpp"

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/unique_fd.hpp"

namespace waggle::topology {
namespace {

struct Offload {
  std::string_view name;
  std::uint32_t set;
  std::uint32_t get;
};

// In this order: the kernel grants TSO only with scatter-gather, and that only with checksums.
constexpr std::array<Offload, 6> kOffloads{{{"rx-checksum", ETHTOOL_SRXCSUM, ETHTOOL_GRXCSUM},
                                            {"tx-checksum", ETHTOOL_STXCSUM, ETHTOOL_GTXCSUM},
                                            {"scatter-gather", ETHTOOL_SSG, ETHTOOL_GSG},
                                            {"tso", ETHTOOL_STSO, ETHTOOL_GTSO},
                                            {"gso", ETHTOOL_SGSO, ETHTOOL_GGSO},
                                            {"gro", ETHTOOL_SGRO, ETHTOOL_GGRO}}};

Result<std::uint32_t> ethtool(int socket, const std::string& device, std::uint32_t command, std::uint32_t value) {
  ethtool_value request{.cmd = command, .data = value};
  ifreq interface{};
  device.copy(interface.ifr_name, IFNAMSIZ - 1);
  interface.ifr_data = reinterpret_cast<char*>(&request);
  if (::ioctl(socket, SIOCETHTOOL, &interface) != 0) {
    return fail_errno(fmt::format("cannot change or read offloads of {}", device));
  }
  return request.data;
}

}  // namespace

Result<std::vector<Mode>> set_offloads(const std::string& device, bool on) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    return fail_errno("cannot open a socket");
  }
  for (const Offload& offload : kOffloads) {
    // A fixed feature refuses with EOPNOTSUPP; reading back below tells.
    if (const auto done = ethtool(socket.get(), device, offload.set, on ? 1 : 0);
        !done && done.error().system != EOPNOTSUPP) {
      return std::unexpected(done.error());
    }
  }
  WAGGLE_LET(granted, read_offloads(device));
  std::vector<Mode> modes;
  for (const Offload& offload : kOffloads) {
    const std::string name(offload.name);
    modes.push_back({name, on ? "on" : "off", granted.at(name) ? "on" : "off"});
  }
  return modes;
}

Result<std::map<std::string, bool>> read_offloads(const std::string& device) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    return fail_errno("cannot open a socket");
  }
  std::map<std::string, bool> states;
  for (const Offload& offload : kOffloads) {
    WAGGLE_LET(value, ethtool(socket.get(), device, offload.get, 0));
    states.emplace(offload.name, value != 0);
  }
  return states;
}

}  // namespace waggle::topology
