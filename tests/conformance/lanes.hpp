// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "datapaths/datapath.hpp"
#include "tests/conformance/outlaw.hpp"

namespace waggle::conformance {

/// What clients of the servers in these tests must prove.
inline constexpr const char* kToken = "conformance";

using Work = std::function<void()>;

/// A way from a client to a server: two datapaths on a link between two places.
struct Lane {
  std::string name;
  const Datapath* datapath = nullptr;  ///< none: the memory channel
  ChannelOptions options;
  Endpoint at;                     ///< where to listen
  bool apart = false;              ///< each end in a process of its own: the link joins two processes
  bool reached_by_kernel = false;  ///< by any socket of the place where clients are
  std::function<bool(Incoming::Sink)> takes;
  std::function<Result<std::unique_ptr<Listener>>(const ChannelOptions&)> listen;
  std::function<Result<std::unique_ptr<Channel>>(const Endpoint&, const ChannelOptions&)> connect;
  /// Runs something where clients are: in their network namespace.
  std::function<void(const Work&)> as_client;

  bool packets() const { return datapath != nullptr && datapath->carrier() == Carrier::packet; }
};

/// All that this build has and this machine can run, as the registry knows it: the memory channel, every sending mover
/// with every receiving one, every port over its own kind of link. What cannot run is told, and fails where everything
/// must. What the lanes stand on lives as long as the program.
const std::vector<Lane>& lanes();
/// Fewer of them: every mover at least once on the side where it works, with whom does not matter.
std::vector<Lane> lanes_once();
/// Those on which a client can do what it likes, once for every way of receiving: what it sends with is its own affair.
std::vector<Lane> lanes_for_outlaws();
/// Makes one of the lane's carrier, where clients are.
std::unique_ptr<Outlaw> outlaw(const Lane& lane, const Endpoint& server);

}  // namespace waggle::conformance
