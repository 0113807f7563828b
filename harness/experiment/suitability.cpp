// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/suitability.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "datapaths/settings.hpp"
#include "harness/experiment/ends.hpp"
#include "harness/experiment/protocol_contestant.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::experiment {
namespace {

/// Datapaths that serve one end, by name.
std::vector<std::string_view> names_at(Side side) {
  std::vector<std::string_view> names;
  for (const auto* datapath : datapaths()) {
    if (datapath->moves(side)) {
      names.push_back(datapath->name());
    }
  }
  return names;
}

Result<> check_end(const Datapath& datapath, Side side) {
  return datapath.moves(side)
             ? Result<>()
             : fail(Fault::usage,
                    fmt::format("{} does not {}", datapath.name(), side == Side::sender ? "send" : "receive"),
                    fmt::format("choose one of: {}", fmt::join(names_at(side), ", ")));
}

Result<> check_sink(const Datapath& receiver, Incoming::Sink sink) {
  if (receiver.takes(sink)) {
    return {};
  }
  return sink == Incoming::Sink::discard
             ? fail(Fault::usage,
                    fmt::format("{} cannot discard: it never sees the bytes, so nothing could be verified",
                                receiver.name()),
                    "choose --sink=tmpfs, --sink=file or another receiver")
             : fail(Fault::usage, fmt::format("{} cannot receive into files", receiver.name()),
                    "choose another receiver");
}

/// The link of a pair that fits and can run here.
Result<std::string> link_of(const Pair& pair, const Spec& spec) {
  WAGGLE_TRY(check_ends(pair, spec.parameters.sink));
  auto link = check_joined(spec, pair);
  for (const auto& name : {pair.sender, pair.receiver}) {
    WAGGLE_LET(datapath, find_datapath(name));
    WAGGLE_TRY(datapath->available());
  }
  return link;
}

/// What devices move by DMA at either end follows from the link, the cache and the sink.
std::pair<record::Dma, record::Dma> dma_models(const Spec& spec, const std::string& link, const CopyModel& sender) {
  const bool disk = spec.cache == Cache::cold || sender.past_cache;
  const bool file = spec.sink == Sink::file;
  const int nic = topology::link_kind(link).addresses ? 1 : 0;
  const auto because = fmt::format("{}: {} the payload; {}; {}", link, nic != 0 ? "the NICs move" : "no device moves",
                                   sender.past_cache ? "O_DIRECT: the disk fills frames"
                                   : disk            ? "cold: the disk fills the page cache"
                                                     : "warm: nothing is read from disk",
                                   file ? "file: written back to disk, perhaps after the run" : "nothing goes to disk");
  return {{static_cast<double>(nic + (disk ? 1 : 0)), because}, {static_cast<double>(nic + (file ? 1 : 0)), because}};
}

}  // namespace

Result<> check_ends(const Pair& pair, Incoming::Sink sink) {
  WAGGLE_LET(sender, find_datapath(pair.sender));
  WAGGLE_TRY(check_end(*sender, Side::sender));
  WAGGLE_LET(receiver, find_datapath(pair.receiver));
  WAGGLE_TRY(check_end(*receiver, Side::receiver));
  return check_sink(*receiver, sink);
}

Result<std::string> check_joined(const Spec& spec, const Pair& pair) {
  WAGGLE_LET(sender, find_datapath(pair.sender));
  WAGGLE_LET(receiver, find_datapath(pair.receiver));
  if (sender->carrier() != receiver->carrier()) {
    return fail(Fault::usage, fmt::format("{} and {} do not share a carrier", pair.sender, pair.receiver),
                "see harness list");
  }
  return resolve_link(*sender, *receiver, spec.link);
}

Result<> check_effect(const Spec& spec, const Pair& pair, const std::string& link) {
  struct Given {
    const char* name;
    bool set;
    bool heeded;
  };
  const auto kind = topology::link_kind(link);
  for (const auto& [name, set, heeded] :
       {Given{"--napi", spec.napi != NapiChoice::automatic, kind.queues},
        Given{"--queues", spec.queues != 1, kind.queues}, Given{"--middle", spec.middle, kind.queues},
        Given{"--offloads", !spec.offloads, kind.device}}) {
    if (set && !heeded) {
      return fail(Fault::usage, fmt::format("{} says nothing to the link {}", name, link),
                  "leave it out, or choose --link=veth");
    }
  }
  WAGGLE_LET(ends, ends_of(pair, spec));
  for (const Side side : {Side::sender, Side::receiver}) {
    const RunEnd& end = ends.of(side);
    WAGGLE_TRY(
        check_heeded(*end.moves, end.channel(spec, link, kind.addresses && !spec.pci.empty() ? spec.pci.front() : "")));
  }
  return {};
}

Result<> check_settings_used(const Spec& spec) {
  std::vector<std::string> used;
  for (const Pair& pair : spec.pairs) {
    used.insert(used.end(), {pair.sender, pair.receiver});
  }
  return check_settings(spec.channel.settings, used);
}

Entry assess(Pair& pair, const Spec& spec) {
  Entry entry;
  entry.label = pair.label();
  const auto workload = workloads::find_workload(spec.workload);
  entry.parties = participants(pair, !workload || (*workload)->server_sends(spec.parameters));
  const auto ends = ends_of(pair, spec);
  auto link = ends ? link_of(pair, spec) : Result<std::string>(std::unexpected(ends.error()));
  if (!link && link.error().fault == Fault::usage) {
    link.error().fault = Fault::missing;  // who was named is refused before; of the others the record tells it
  }
  if (link) {
    pair.link = entry.link = *link;
    if (auto effect = check_effect(spec, pair, *link); !effect) {
      link = std::unexpected(std::move(effect).error());
    }
  }
  if (!link) {
    entry.unavailable = true;
    entry.problem = std::move(link).error();
    return entry;
  }
  const auto copies = [&](Side side) {
    const RunEnd& end = ends->of(side);
    ChannelOptions channel = end.channel(spec, *link, "");
    if (topology::link_kind(*link).device) {
      channel.mtu = spec.mtu != 0 ? spec.mtu : topology::kDefaultMtu;
    }
    return end.moves->copies(side, spec.parameters.sink, end.listens, channel);
  };
  const CopyModel sending = copies(Side::sender);
  auto [sender_dma, receiver_dma] = dma_models(spec, *link, sending);
  entry.parties.front().model = recorded(sending, std::move(sender_dma));
  entry.parties.back().model = recorded(copies(Side::receiver), std::move(receiver_dma));
  entry.contestant = protocol_contestant(spec, pair, *ends);
  return entry;
}

}  // namespace waggle::experiment
