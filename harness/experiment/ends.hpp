// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>

#include "datapaths/datapath.hpp"
#include "harness/experiment/spec.hpp"

/// Which process of a run opens what: decided here and nowhere else.
namespace waggle::experiment {

/// One process of a run.
struct RunEnd {
  bool listens = false;             ///< the server; otherwise the client, which connects to it
  Side side = Side::sender;         ///< of the payload
  const Datapath* opens = nullptr;  ///< what it listens or connects with
  const Datapath* moves = nullptr;  ///< what moves the payload there: another one where a receiver has its own mover
  std::string receive_with;         ///< ChannelOptions::receive_with

  /// What its channel is told over a link of this kind, which is at `link_at`.
  ChannelOptions channel(const Spec& spec, const std::string& link, std::string link_at) const;
};

struct RunEnds {
  RunEnd server;
  RunEnd client;

  const RunEnd& of(Side side) const { return server.side == side ? server : client; }
};

/// Over a byte stream both processes open the pair's sender, and the one that receives payload takes it with the pair's
/// receiver. Over frames each opens its own datapath. The pair has its receiver. Fault::usage for what is unknown.
Result<RunEnds> ends_of(const Pair& pair, bool server_sends);
/// The same, with the direction of the spec's workload.
Result<RunEnds> ends_of(const Pair& pair, const Spec& spec);

}  // namespace waggle::experiment
