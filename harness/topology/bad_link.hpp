// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datapaths/datapath.hpp"
#include "harness/topology/network_namespace.hpp"

namespace waggle::topology {

/// What a bad link does to frames, in each direction: shares from 0 to 1, in steps of a thousandth.
struct Badness {
  double loss = 0;
  double reorder = 0;  ///< these come late, behind others
  std::uint64_t seed = 1;
};

/// The middle of two hosts that a bad link joins: a third namespace, in which an XDP program passes frames from one
/// veth on to the other (datapaths/xdp/impair.hpp). It needs no netem, and knows neither TCP nor us. Goes with this
/// object and its process.
class BadLink {
 public:
  /// Makes a veth called `device` in each of the two namespaces, whose other ends are in `middle`. Fault::missing
  /// where there is no BPF, or the kernel refuses.
  static Result<std::unique_ptr<BadLink>> join(std::unique_ptr<NetworkNamespace> middle, const NetworkNamespace& server,
                                               const NetworkNamespace& client, const std::string& device,
                                               std::uint32_t mtu, std::uint32_t queues, const Badness& badness);
  virtual ~BadLink() = default;
};

/// What it does, as modes of the link.
std::vector<Mode> modes_of(const Badness& badness);

}  // namespace waggle::topology
