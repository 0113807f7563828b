// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datapaths/datapath.hpp"
#include "harness/topology/bad_link.hpp"
#include "harness/topology/napi.hpp"
#include "harness/topology/network_namespace.hpp"

namespace waggle::topology {

struct LinkOptions {
  /// "veth": two namespaces joined by a pair; "loopback": one namespace with its own lo; "vhost" and "nic": two
  /// namespaces in which the kernel has nothing but lo, since the datapaths bring the link themselves.
  std::string kind = "veth";
  std::uint32_t mtu = 1500;  ///< bytes
  std::uint32_t queues = 1;  ///< of a veth, each way at both ends
  bool offloads = true;
  bool allow_fallback = false;  ///< accept offloads that the kernel grants differently
  /// Joins the ends of a veth by a third namespace that does this; no frame may exceed the MTU, so offloads are off.
  std::optional<Badness> middle = {};
};

/// What joins the two hosts of an experiment. Nothing of it has a name outside, and it goes away with this object and
/// the processes inside, whatever ends them.
class Link {
 public:
  /// Fault::usage for an unknown kind, Fault::missing without rights, or when an offload is granted differently.
  static Result<Link> create(const LinkOptions& options);

  const std::string& kind() const { return kind_; }
  const NetworkNamespace& server() const { return *server_; }
  const NetworkNamespace& client() const { return client_ ? *client_ : *server_; }
  const std::string& server_address() const { return server_address_; }
  const std::string& client_address() const { return client_address_; }
  /// Name of the network device at both ends; empty when the kernel has none.
  const std::string& device() const { return device_; }
  /// MTU, offloads and settings of both ends, requested and granted: "server mtu", "client tso" …
  const std::vector<Mode>& modes() const { return modes_; }

  enum class End { server, client };
  /// MTU and offloads of an end that are not as modes() has them any more: "tso", requested "on", granted "off".
  Result<std::vector<Mode>> changed(End end) const;
  /// Where the receive work of an end runs (NapiControl::set()); only a veth has the choice. Fault::missing when
  /// threads are asked for where there is none. `again`: NapiControl::set_again().
  Result<Mode> set_napi(End end, Napi napi, bool again = false);
  /// Pins an end's NAPI threads, as far as there are any by now: the server's before the client is started, so that
  /// each end's are known apart.
  Result<Mode> pin_napi(End end, int cpu);

 private:
  Link() = default;
  Result<> make_veth(const LinkOptions& options);
  Result<> make_loopback(const LinkOptions& options);
  Result<> make_apart();
  Result<> note(const NetworkNamespace& where, const std::string& end, const LinkOptions& options);

  std::string kind_;
  std::string device_;
  std::unique_ptr<NetworkNamespace> server_;
  std::unique_ptr<NetworkNamespace> client_;
  std::unique_ptr<BadLink> middle_;  ///< nothing where the ends are those of one veth
  std::string server_address_;
  std::string client_address_;
  std::vector<Mode> modes_;
  std::map<End, NapiControl> napi_;
};

}  // namespace waggle::topology
