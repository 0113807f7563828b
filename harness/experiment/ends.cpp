// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/ends.hpp"

#include <utility>

#include "harness/topology/link_kind.hpp"

namespace waggle::experiment {

ChannelOptions RunEnd::channel(const Spec& spec, const std::string& link, std::string link_at) const {
  ChannelOptions options = spec.channel;
  options.receive_with = receive_with;
  options.link = link;
  options.link_at = std::move(link_at);
  options.mtu = topology::link_kind(link).device ? 0 : spec.mtu;  // the kernel's interfaces have it
  return options;
}

Result<RunEnds> ends_of(const Pair& pair, bool server_sends) {
  WAGGLE_LET(sender, find_datapath(pair.sender));
  WAGGLE_LET(receiver, find_datapath(pair.receiver));
  const bool packet = sender->carrier() == Carrier::packet;
  RunEnd sends{.listens = server_sends, .side = Side::sender, .opens = sender, .moves = sender};
  RunEnd receives{.listens = !server_sends,
                  .side = Side::receiver,
                  .opens = packet ? receiver : sender,
                  .moves = receiver,
                  .receive_with = packet ? "" : pair.receiver};
  return server_sends ? RunEnds{std::move(sends), std::move(receives)} : RunEnds{std::move(receives), std::move(sends)};
}

Result<RunEnds> ends_of(const Pair& pair, const Spec& spec) {
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  return ends_of(pair, workload->server_sends(spec.parameters));
}

}  // namespace waggle::experiment
