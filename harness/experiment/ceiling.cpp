// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/ceiling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/units.hpp"
#include "harness/measure/line_of.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Of our transport, in front of the payload of a DATA packet (docs/transport.md).
constexpr std::uint64_t kDataHeader = 48;

/// The number with which the granted value of a mode begins; nothing where the side has no such mode.
std::optional<std::uint64_t> number_of(const json& side, std::string_view name) {
  for (const json& mode : side.at("modes")) {
    if (mode.at("name") == name) {
      const auto text = mode.at("granted").get<std::string>();
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      return error == std::errc() ? std::optional(number) : std::nullopt;
    }
  }
  return std::nullopt;
}

json of_line(const json& facts, std::uint64_t packet, double goodput) {
  for (const char* side : {"sender", "receiver"}) {  // whichever port knows
    const auto rate = number_of(facts.at(side), "line_rate");
    const auto overhead = number_of(facts.at(side), "frame_overhead");
    if (rate.value_or(0) > 0 && overhead) {
      const std::uint64_t payload = packet - std::min(packet, kDataHeader);
      const double most =
          static_cast<double>(*rate) * static_cast<double>(payload) / static_cast<double>(packet + *overhead);
      return {{"goodput_bits_per_second", most},
              {"share", most > 0 ? goodput / most : 0},
              {"because", fmt::format("the line's {} carry {} bytes of payload in {}",
                                      format_rate(static_cast<double>(*rate)), payload, packet + *overhead)}};
    }
  }
  return nullptr;
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

json ceiling(const json& facts, const std::string& link, double goodput, const std::vector<BareLoop>& loops) {
  const auto packet = facts.is_object() ? number_of(facts.at("sender"), "packet") : std::nullopt;
  if (!packet) {
    return nullptr;
  }
  if (json line = of_line(facts, *packet, goodput); !line.is_null()) {
    return line;
  }
  const auto sender = facts.at("sender").at("sender").get<std::string>();
  const BareLoop* best = nullptr;
  for (const BareLoop& loop : loops) {
    const bool same = loop.link == link && loop.packet == *packet && loop.datapath == sender;
    best = same && loop.goodput > 0 && (best == nullptr || loop.goodput > best->goodput) ? &loop : best;
  }
  if (best == nullptr) {
    return nullptr;
  }
  return {
      {"goodput_bits_per_second", best->goodput},
      {"share", goodput / best->goodput},
      {"because", fmt::format("the bare loop ({}) with packets of {} bytes, {}", best->how, *packet, best->created)}};
}

}  // namespace waggle::experiment
