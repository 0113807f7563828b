// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/ceiling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "harness/measure/line_of.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Of our transport, in front of the payload of a DATA packet (docs/transport.md).
constexpr std::uint64_t kDataHeader = 48;

/// The number with which the granted value of a mode begins; nothing where the party has no such mode.
std::optional<std::uint64_t> number_of(const record::Facts& facts, std::string_view name) {
  const auto mode = std::ranges::find(facts.modes, name, &record::Mode::name);
  if (mode == facts.modes.end()) {
    return std::nullopt;
  }
  const std::string& text = mode->granted;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::optional<record::Ceiling> of_line(const std::vector<record::Participant>& parties, std::uint64_t packet,
                                       double goodput) {
  for (const record::Participant& party : parties) {  // whichever port knows
    const auto rate = party.facts ? number_of(*party.facts, "line_rate") : std::nullopt;
    const auto overhead = party.facts ? number_of(*party.facts, "frame_overhead") : std::nullopt;
    if (rate.value_or(0) > 0 && overhead) {
      const std::uint64_t payload = packet - std::min(packet, kDataHeader);
      const double most =
          static_cast<double>(*rate) * static_cast<double>(payload) / static_cast<double>(packet + *overhead);
      return record::Ceiling{
          .goodput_bits_per_second = most,
          .share = most > 0 ? goodput / most : 0,
          .because = fmt::format("the line's {} carry {} bytes of payload in {}",
                                 format_rate(static_cast<double>(*rate)), payload, packet + *overhead)};
    }
  }
  return std::nullopt;
}

}  // namespace

std::filesystem::path loops_place() {
  const char* place = std::getenv("WAGGLE_RESULTS");
  return std::filesystem::path(place != nullptr && *place != '\0' ? place : "results") / "loops";
}

std::vector<BareLoop> read_loops(const std::filesystem::path& place) {
  std::vector<BareLoop> loops;
  const std::string boot = measure::line_of("/proc/sys/kernel/random/boot_id");
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(place, error)) {
    std::error_code ignored;
    if (!entry.is_regular_file(ignored)) {
      continue;  // to open a FIFO would wait for whoever writes to it
    }
    std::ifstream file(entry.path());
    const json loop = json::parse(file, nullptr, false);
    try {
      if (loop.is_object() && loop.value("schema", "") == "waggle-loop/1" && loop.value("boot", "") == boot) {
        loops.push_back({.datapath = loop.value("datapath", ""),
                         .link = loop.value("link", ""),
                         .packet = loop.value("packet", 0U),
                         .how = loop.value("how", ""),
                         .goodput = loop.value("goodput_bits_per_second", 0.0),
                         .created = loop.value("created", "")});
      }
    } catch (const json::exception&) {
      continue;  // a member of another type than we write
    }
  }
  return loops;
}

std::optional<record::Ceiling> ceiling(const std::vector<record::Participant>& parties, const std::string& link,
                                       double goodput, const std::vector<BareLoop>& loops) {
  const record::Participant* const sender = record::find(parties, record::Role::sender);
  if (sender == nullptr || !sender->facts) {
    return std::nullopt;
  }
  const auto packet = number_of(*sender->facts, "packet");
  if (!packet) {
    return std::nullopt;
  }
  if (auto line = of_line(parties, *packet, goodput)) {
    return line;
  }
  const BareLoop* best = nullptr;
  for (const BareLoop& loop : loops) {
    const bool same = loop.link == link && loop.packet == *packet && loop.datapath == sender->facts->outgoing;
    best = same && loop.goodput > 0 && (best == nullptr || loop.goodput > best->goodput) ? &loop : best;
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  return record::Ceiling{
      .goodput_bits_per_second = best->goodput,
      .share = goodput / best->goodput,
      .because = fmt::format("the bare loop ({}) with packets of {} bytes, {}", best->how, *packet, best->created)};
}

}  // namespace waggle::experiment
