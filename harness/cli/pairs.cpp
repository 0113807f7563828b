// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/pairs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/cli/datapath_settings.hpp"
#include "harness/cli/experiment_command.hpp"
#include "harness/experiment/suitability.hpp"

namespace waggle::cli {
namespace {

using experiment::Pair;

/// Datapaths that serve one end, by name.
std::vector<std::string> names_at(Side side) {
  std::vector<std::string> names;
  for (const auto* datapath : datapaths()) {
    if (datapath->moves(side)) {
      names.emplace_back(datapath->name());
    }
  }
  return names;
}

Result<> check_end(const std::string& name, Side side) {
  WAGGLE_LET(datapath, find_datapath(name));
  if (!datapath->moves(side)) {
    return fail(Fault::usage, fmt::format("{} does not {}", name, side == Side::sender ? "send" : "receive"),
                fmt::format("choose one of: {}", fmt::join(names_at(side), ", ")));
  }
  return {};
}

Result<> check_sink(const std::string& receiver, Incoming::Sink sink) {
  WAGGLE_LET(datapath, find_datapath(receiver));
  if (datapath->takes(sink)) {
    return {};
  }
  return sink == Incoming::Sink::discard
             ? fail(Fault::usage,
                    fmt::format("{} cannot discard: it never sees the bytes, so nothing could be verified", receiver),
                    "choose --sink=tmpfs, --sink=file or another receiver")
             : fail(Fault::usage, fmt::format("{} cannot receive into files", receiver), "choose another receiver");
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<Pair> parse_pair(std::string_view text, std::string_view receiver, Incoming::Sink sink) {
  const auto plus = text.find('+');
  Pair pair{.sender = std::string(text.substr(0, plus)),
            .receiver = std::string(plus == std::string_view::npos ? receiver : text.substr(plus + 1))};
  WAGGLE_TRY(check_end(pair.sender, Side::sender));
  if (pair.receiver.empty()) {
    pair.receiver = experiment::default_receiver(pair.sender);
  }
  WAGGLE_TRY(check_end(pair.receiver, Side::receiver));
  WAGGLE_TRY(check_sink(pair.receiver, sink));
  return pair;
}

Result<std::vector<Pair>> parse_pairs(std::string_view text, std::string_view receiver, Incoming::Sink sink) {
  std::vector<Pair> pairs;
  if (text == "all-pairs") {
    for (const auto& sender : names_at(Side::sender)) {
      for (const auto& name : names_at(Side::receiver)) {
        pairs.push_back({sender, name});
      }
    }
    return pairs;
  }
  const auto senders = names_at(Side::sender);
  std::vector<std::string_view> parts;
  for (const auto part : split(text)) {
    part == "all" ? parts.insert(parts.end(), senders.begin(), senders.end()) : parts.insert(parts.end(), part);
  }
  for (const auto part : parts) {
    WAGGLE_LET(pair, parse_pair(part, receiver, sink));
    const auto same = [&](const Pair& other) { return other.label() == pair.label(); };
    if (std::ranges::none_of(pairs, same)) {
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

Result<> check_named(const experiment::Spec& spec, const Pair& pair) {
  WAGGLE_LET(sender, find_datapath(pair.sender));
  WAGGLE_LET(receiver, find_datapath(pair.receiver));
  if (sender->carrier() != receiver->carrier()) {
    return fail(Fault::usage, fmt::format("{} and {} do not share a carrier", pair.sender, pair.receiver),
                "see harness list");
  }
  auto resolved = experiment::resolve_link(*sender, *receiver, spec.link);
  if (!resolved) {
    resolved.error().fault = Fault::usage;
    return std::unexpected(std::move(resolved).error());
  }
  return experiment::check_effect(spec, pair, *resolved);
}

Result<> check_named(const experiment::Spec& spec, std::string_view text, std::string_view receiver) {
  for (const auto part : split(text)) {
    if (part != "all" && part != "all-pairs") {
      WAGGLE_LET(pair, parse_pair(part, receiver, payload_sink(spec)));
      WAGGLE_LET(sender, find_datapath(pair.sender));
      WAGGLE_LET(receives, find_datapath(pair.receiver));
      // What does not run over the link at all is in the record with the reason.
      if (const auto link = experiment::resolve_link(*sender, *receives, spec.link)) {
        WAGGLE_TRY(experiment::check_effect(spec, pair, *link));
      }
    }
  }
  return {};
}

Result<> check_settings_used(const experiment::Spec& spec) {
  std::vector<std::string> used;
  for (const Pair& pair : spec.pairs) {
    used.insert(used.end(), {pair.sender, pair.receiver});
  }
  return check_settings(spec.channel.settings, used);
}

}  // namespace waggle::cli
