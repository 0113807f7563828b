// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/pairs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/experiment/suitability.hpp"

namespace waggle::experiment {
namespace {

/// Datapaths that serve one end, by name.
std::vector<std::string> movers_at(Side side) {
  std::vector<std::string> names;
  for (const auto* datapath : datapaths()) {
    if (datapath->moves(side)) {
      names.emplace_back(datapath->name());
    }
  }
  return names;
}

std::vector<std::string_view> split_list(std::string_view text) {
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

Incoming::Sink payload_sink(const Spec& spec) {
  return spec.sink == Sink::discard ? Incoming::Sink::discard : Incoming::Sink::file;
}

Result<Pair> parse_pair(std::string_view text, std::string_view receiver, Incoming::Sink sink) {
  const auto plus = text.find('+');
  Pair pair{.sender = std::string(text.substr(0, plus)),
            .receiver = std::string(plus == std::string_view::npos ? receiver : text.substr(plus + 1))};
  if (pair.receiver.empty()) {
    pair.receiver = default_receiver(pair.sender);
  }
  WAGGLE_TRY(check_ends(pair, sink));
  return pair;
}

Result<std::vector<Pair>> parse_pairs(std::string_view text, std::string_view receiver, Incoming::Sink sink) {
  std::vector<Pair> pairs;
  if (text == "all-pairs") {
    for (const auto& sender : movers_at(Side::sender)) {
      for (const auto& name : movers_at(Side::receiver)) {
        pairs.push_back({sender, name});
      }
    }
    return pairs;
  }
  const auto senders = movers_at(Side::sender);
  std::vector<std::string_view> parts;
  for (const auto part : split_list(text)) {
    part == "all" ? parts.insert(parts.end(), senders.begin(), senders.end()) : parts.insert(parts.end(), part);
  }
  for (const auto part : parts) {
    WAGGLE_LET(pair, parse_pair(part, receiver, sink));
    if (std::ranges::find(pairs, pair.label(), &Pair::label) != pairs.end()) {
      return fail(Fault::usage, fmt::format("--datapaths: {} is named twice", pair.label()), "leave one of them out");
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

Result<> check_named(const Spec& spec, const Pair& pair) {
  WAGGLE_LET(link, check_joined(spec, pair));
  return check_effect(spec, pair, link);
}

Result<> check_named(const Spec& spec, std::string_view text, std::string_view receiver) {
  for (const auto part : split_list(text)) {
    if (part != "all" && part != "all-pairs") {
      WAGGLE_LET(pair, parse_pair(part, receiver, payload_sink(spec)));
      // What does not run over the link at all is in the record with the reason.
      if (const auto link = check_joined(spec, pair)) {
        WAGGLE_TRY(check_effect(spec, pair, *link));
      }
    }
  }
  return {};
}

}  // namespace waggle::experiment
