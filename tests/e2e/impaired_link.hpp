// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <string>

#include "datapaths/xdp/impair.hpp"
#include "harness/topology/netlink.hpp"
#include "harness/topology/network_namespace.hpp"
#include "harness/topology/offloads.hpp"

namespace waggle::test {

/// Two hosts with a bad link between them: client - veth - middle - veth - server, without names outside. The ends look
/// like those of topology::Link: one device each, in one IP network, with all offloads off.
class ImpairedLink {
 public:
  static Result<ImpairedLink> create(const xdp::ImpairmentOptions& options, std::uint32_t mtu = 1500) {
    WAGGLE_LET(server, make_namespace());
    WAGGLE_LET(client, make_namespace());
    WAGGLE_LET(middle, make_namespace());
    ImpairedLink link(std::move(server), std::move(client), std::move(middle));
    WAGGLE_LET(at_middle, topology::Netlink::open(*link.middle_));
    WAGGLE_TRY(at_middle.add_veth(link.client_device(), *link.client_, mtu));
    WAGGLE_TRY(at_middle.add_veth(link.server_device(), *link.server_, mtu));
    for (const auto& device : {link.client_device(), link.server_device()}) {
      WAGGLE_TRY(at_middle.set_up(device));
    }
    WAGGLE_TRY(set_up(*link.server_, link.server_device(), link.server_address()));
    WAGGLE_TRY(set_up(*link.client_, link.client_device(), link.client_address()));
    for (const auto& device : {link.client_device(), link.server_device()}) {
      WAGGLE_TRY(at_middle.wait_until_running(device, std::chrono::milliseconds(5000)));
    }
    WAGGLE_TRY(link.middle_->inside([&]() -> Result<> {
      WAGGLE_LET(impairment, xdp::Impairment::attach(link.client_device(), link.server_device(), options));
      link.impairment_ = std::make_unique<xdp::Impairment>(std::move(impairment));
      return {};
    }));
    return link;
  }

  const topology::NetworkNamespace& server() const { return *server_; }
  const topology::NetworkNamespace& client() const { return *client_; }
  std::string server_address() const { return "10.77.0.1"; }
  std::string client_address() const { return "10.77.0.2"; }
  std::string server_device() const { return "waggle0"; }
  std::string client_device() const { return "waggle1"; }
  xdp::Fates to_server() const { return impairment_->from_first(); }
  xdp::Fates to_client() const { return impairment_->from_second(); }

 private:
  using Namespace = std::unique_ptr<topology::NetworkNamespace>;
  ImpairedLink(Namespace server, Namespace client, Namespace middle)
      : server_(std::move(server)), client_(std::move(client)), middle_(std::move(middle)) {}

  static Result<Namespace> make_namespace() {
    WAGGLE_LET(made, topology::NetworkNamespace::create());
    return std::make_unique<topology::NetworkNamespace>(std::move(made));
  }
  static Result<> set_up(const topology::NetworkNamespace& where, const std::string& device,
                         const std::string& address) {
    WAGGLE_LET(netlink, topology::Netlink::open(where));
    WAGGLE_TRY(netlink.add_address(device, address + "/30"));
    WAGGLE_TRY(where.inside([&]() -> Result<> {
      WAGGLE_TRY(topology::set_offloads(device, false));
      return {};
    }));
    WAGGLE_TRY(netlink.set_up("lo"));
    WAGGLE_TRY(netlink.set_up(device));
    return netlink.wait_until_running(device, std::chrono::milliseconds(5000));
  }

  Namespace server_;
  Namespace client_;
  Namespace middle_;
  std::unique_ptr<xdp::Impairment> impairment_;
};

}  // namespace waggle::test
