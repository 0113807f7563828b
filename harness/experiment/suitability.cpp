// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/suitability.hpp"

#include <fmt/format.h>

#include <utility>

#include "datapaths/settings.hpp"
#include "harness/experiment/recorded.hpp"

namespace waggle::experiment {
namespace {

Result<> can_run(const Datapath& sender, const Datapath& receiver, Incoming::Sink sink) {
  const auto missing = [](std::string what, std::string hint) { return fail(Fault::missing, std::move(what), hint); };
  if (!sender.moves(Side::sender)) {
    return missing(fmt::format("{} does not send", sender.name()), "see harness list");
  }
  if (!receiver.moves(Side::receiver)) {
    return missing(fmt::format("{} does not receive", receiver.name()), "see harness list");
  }
  if (sender.carrier() != receiver.carrier()) {
    return missing(fmt::format("{} and {} do not share a carrier", sender.name(), receiver.name()), "see harness list");
  }
  if (!receiver.takes(sink)) {
    return missing(fmt::format("{} does not receive into this sink", receiver.name()), "choose another --sink");
  }
  WAGGLE_TRY(sender.available());
  return receiver.available();
}

/// What devices move by DMA at either end follows from the link, the cache and the sink.
std::pair<record::Dma, record::Dma> dma_models(const Spec& spec, const std::string& link, const CopyModel& sender) {
  const bool disk = spec.cache == Cache::cold || sender.past_cache;
  const bool file = spec.sink == Sink::file;
  const int nic = link == "nic" ? 1 : 0;
  const auto because = fmt::format("{}: {} the payload; {}; {}", link, nic != 0 ? "the NICs move" : "no device moves",
                                   sender.past_cache ? "O_DIRECT: the disk fills frames"
                                   : disk            ? "cold: the disk fills the page cache"
                                                     : "warm: nothing is read from disk",
                                   file ? "file: written back to disk, perhaps after the run" : "nothing goes to disk");
  return {{static_cast<double>(nic + (disk ? 1 : 0)), because}, {static_cast<double>(nic + (file ? 1 : 0)), because}};
}

}  // namespace

Result<> check_effect(const Spec& spec, const Pair& pair, const std::string& link) {
  struct Given {
    const char* name;
    bool set;
    bool heeded;
  };
  const bool veth = link == "veth";
  for (const auto& [name, set, heeded] :
       {Given{"--napi", spec.napi != NapiChoice::automatic, veth}, Given{"--queues", spec.queues != 1, veth},
        Given{"--offloads", !spec.offloads, veth || link == "loopback"}}) {
    if (set && !heeded) {
      return fail(Fault::usage, fmt::format("{} says nothing to the link {}", name, link),
                  "leave it out, or choose --link=veth");
    }
  }
  ChannelOptions channel = spec.channel;
  channel.link = link;
  channel.link_at = link == "nic" && !spec.pci.empty() ? spec.pci.front() : std::string();
  channel.mtu = veth || link == "loopback" ? 0 : spec.mtu;  // the kernel's interfaces have it
  for (const auto& name : {pair.sender, pair.receiver}) {
    WAGGLE_LET(datapath, find_datapath(name));
    WAGGLE_TRY(check_heeded(*datapath, channel));
  }
  return {};
}

PairRecord assess(const Pair& pair, const Spec& spec) {
  PairRecord record;
  record.pair = pair;
  const auto sender = find_datapath(pair.sender);
  const auto receiver = find_datapath(pair.receiver);
  const auto workload = workloads::find_workload(spec.workload);
  const bool server_sends = !workload || (*workload)->server_sends(spec.parameters);
  record.parties = participants(pair, server_sends);
  const Incoming::Sink sink = spec.parameters.sink;
  auto able = !sender     ? Result<>(std::unexpected(sender.error()))
              : !receiver ? Result<>(std::unexpected(receiver.error()))
              : !workload ? Result<>(std::unexpected(workload.error()))
                          : can_run(**sender, **receiver, sink);
  if (able) {
    const auto link = resolve_link(**sender, **receiver, spec.link);
    record.pair.link = link.value_or("");
    able = link ? check_effect(spec, pair, *link) : Result<>(std::unexpected(link.error()));
  }
  if (!able) {
    record.unavailable = true;
    record.problem = std::move(able).error();
    return record;
  }
  ChannelOptions channel = spec.channel;
  channel.link = record.pair.link;
  channel.mtu = spec.mtu == 0 && (channel.link == "veth" || channel.link == "loopback") ? 1500 : spec.mtu;
  const CopyModel sending = (*sender)->copies(Side::sender, sink, server_sends, channel);
  const CopyModel receiving = (*receiver)->copies(Side::receiver, sink, !server_sends, channel);
  auto [sender_dma, receiver_dma] = dma_models(spec, record.pair.link, sending);
  record.parties.front().model = recorded(sending, std::move(sender_dma));
  record.parties.back().model = recorded(receiving, std::move(receiver_dma));
  return record;
}

}  // namespace waggle::experiment
