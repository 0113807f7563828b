// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/unique_fd.hpp"
#include "harness/measure/environment.hpp"

namespace waggle::measure {
namespace {

using nlohmann::json;

class Ethtool {
 public:
  explicit Ethtool(const std::string& device) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    device.copy(request_.ifr_name, IFNAMSIZ - 1);
  }
  /// False when the device does not answer this command.
  template <typename T>
  bool ask(T* command) {
    request_.ifr_data = reinterpret_cast<char*>(command);
    return ::ioctl(socket_.get(), SIOCETHTOOL, &request_) == 0;
  }
  Result<int> mtu() {
    if (::ioctl(socket_.get(), SIOCGIFMTU, &request_) != 0) {
      return std::unexpected(
          Error{.fault = Fault::not_found, .what = fmt::format("no network device {} here", request_.ifr_name)});
    }
    return request_.ifr_mtu;
  }

 private:
  UniqueFd socket_;
  ifreq request_{};
};

/// Memory for one of ethtool's structures with an array at its end, aligned for it.
template <typename T>
class Extended {
 public:
  Extended(std::size_t extra, std::uint32_t command) : memory_((sizeof(T) + extra + 7) / 8) { get()->cmd = command; }
  T* get() { return reinterpret_cast<T*>(memory_.data()); }

 private:
  std::vector<std::uint64_t> memory_;
};

std::size_t feature_count(Ethtool& device) {
  Extended<ethtool_sset_info> query(sizeof(std::uint32_t), ETHTOOL_GSSET_INFO);
  query.get()->sset_mask = 1U << ETH_SS_FEATURES;
  return device.ask(query.get()) && query.get()->sset_mask != 0 ? query.get()->data[0] : 0;
}

/// Names of all features that are on.
json offloads(Ethtool& device) {
  json on = json::array();
  const std::size_t count = feature_count(device);
  const std::size_t words = (count + 31) / 32;
  Extended<ethtool_gstrings> names(count * ETH_GSTRING_LEN, ETHTOOL_GSTRINGS);
  names.get()->string_set = ETH_SS_FEATURES;
  names.get()->len = static_cast<std::uint32_t>(count);
  Extended<ethtool_gfeatures> features(words * sizeof(ethtool_get_features_block), ETHTOOL_GFEATURES);
  features.get()->size = static_cast<std::uint32_t>(words);
  if (count == 0 || !device.ask(names.get()) || !device.ask(features.get())) {
    return on;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if ((features.get()->features[i / 32].active >> (i % 32) & 1U) != 0) {
      const char* name = reinterpret_cast<const char*>(names.get()->data) + i * ETH_GSTRING_LEN;
      on.push_back(std::string(name, ::strnlen(name, ETH_GSTRING_LEN)));
    }
  }
  return on;
}

}  // namespace

Result<json> interface_facts(const std::string& device) {
  Ethtool ethtool(device);
  WAGGLE_LET(mtu, ethtool.mtu());
  json facts{{"device", device}, {"mtu", mtu}, {"offloads", offloads(ethtool)}};
  ethtool_drvinfo driver{.cmd = ETHTOOL_GDRVINFO};
  if (ethtool.ask(&driver)) {
    facts["driver"] = driver.driver;
    facts["driver_version"] = driver.version;
    facts["firmware"] = driver.fw_version;
    facts["bus"] = driver.bus_info;
  }
  ethtool_channels channels{.cmd = ETHTOOL_GCHANNELS};
  if (ethtool.ask(&channels)) {
    facts["queues"] = {{"rx", channels.rx_count}, {"tx", channels.tx_count}, {"combined", channels.combined_count}};
  }
  return facts;
}

}  // namespace waggle::measure
