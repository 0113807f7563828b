// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "harness/topology/network_namespace.hpp"

struct nl_sock;

namespace waggle::topology {

/// Makes and changes network devices of one namespace over rtnetlink (libnl-route-3).
class Netlink {
 public:
  static Result<Netlink> open(const NetworkNamespace& where);

  /// Makes a veth pair: `name` here and `peer` (or `name`, when that is empty) in `other`, both with this MTU in bytes
  /// and so many queues each way.
  Result<> add_veth(const std::string& name, const NetworkNamespace& other, std::uint32_t mtu, std::uint32_t queues = 1,
                    const std::string& peer = {});
  Result<> set_mtu(const std::string& name, std::uint32_t mtu);
  /// As the kernel says, bytes.
  Result<std::uint32_t> mtu(const std::string& name);
  /// Of a veth, each way.
  Result<std::uint32_t> queues(const std::string& name);
  /// `address` like "10.77.0.1/30".
  Result<> add_address(const std::string& name, const std::string& address);
  Result<> set_up(const std::string& name);
  /// Waits for the kernel's notice that the device can carry traffic. Fault::timeout when it does not come.
  Result<> wait_until_running(const std::string& name, std::chrono::milliseconds timeout);

 private:
  struct Closer {
    void operator()(nl_sock* socket) const;
  };
  using Socket = std::unique_ptr<nl_sock, Closer>;
  Netlink(Socket requests, Socket notices) : requests_(std::move(requests)), notices_(std::move(notices)) {}
  static Result<Socket> connect();

  Socket requests_;
  Socket notices_;  ///< subscribed before anything changes, so that no notice is missed
};

}  // namespace waggle::topology
