// SPDX-License-Identifier: BSD-2-Clause
#include "harness/verdict/figure_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "base/units.hpp"
#include "harness/report/grid.hpp"

namespace waggle::verdict {
namespace {

struct Known {
  std::string_view name;
  bool varies;
  std::string_view noun;  ///< of its unit, where records have none that a reader knows
};

constexpr auto kKnown = std::to_array<Known>({
    {"goodput", true, ""},
    {"operations", true, "operations/s"},
    {"seconds", true, "s"},
    {"cpu.per_gib", true, "CPU s/GiB"},
    {"cpu.machine_per_gib", true, "CPU s/GiB (machine)"},
    {"cpu.user_per_gib", true, "CPU s/GiB (user)"},
    {"cpu.system_per_gib", true, "CPU s/GiB (system)"},
    {"cpu.softirq_per_gib", true, "CPU s/GiB (softirq)"},
    {"cpu.empty_polls_per_gib", true, "CPU s/GiB (empty polls)"},
    {"cpu.per_operation", true, "CPU µs/operation"},
    {"cpu.machine_per_operation", true, "CPU µs/operation (machine)"},
    {"cpu.share", true, "CPUs"},
    {"cpu.machine_share", true, "CPUs (machine)"},
    {"copies", false, "copies/B"},
    {"mode_switches", false, "mode switches"},
    {"mode_switches_per_mib", false, "mode switches/MiB"},
    {"mode_switches_per_operation", false, "mode switches/operation"},
    {"system_calls", false, "system calls"},
    {"system_calls_per_mib", false, "system calls/MiB"},
    {"system_calls_per_operation", false, "system calls/operation"},
    {"context_switches", true, "context switches"},
    {"context_switches_per_mib", true, "context switches/MiB"},
    {"context_switches_per_operation", true, "context switches/operation"},
    {"page_faults", true, "page faults"},
    {"memory", true, ""},
    {"retransmissions", true, "retransmissions"},
    {"drops", true, "packets dropped"},
    {"empty_polls", true, "empty polls"},
    {"counter", true, ""},
});

const Known* known(std::string_view name) {
  const auto* const found = std::ranges::find(kKnown, name, &Known::name);
  return found == kKnown.end() ? nullptr : found;
}

}  // namespace

const std::vector<std::string>& figure_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    std::ranges::transform(kKnown, std::back_inserter(all), [](const Known& one) { return std::string(one.name); });
    return all;
  }();
  return names;
}

bool is_figure(std::string_view name) {
  return known(name) != nullptr;
}

bool varies(std::string_view name) {
  const auto* const found = known(name);
  return found != nullptr && found->varies;
}

std::string figure_text(std::string_view name, std::string_view unit, double value) {
  if (unit == "bit/s") {
    return format_rate(value);
  }
  if (unit == "B") {
    return format_bytes(static_cast<std::uint64_t>(value));
  }
  const auto* const found = known(name);
  const auto noun = found != nullptr && !found->noun.empty() ? found->noun : unit;
  // Two digits even of small ones: 0.00 copies is a result.
  const auto number = name == "copies" ? fmt::format("{:.2f}", value) : report::format_amount(value);
  return noun.empty() ? number : fmt::format("{} {}", number, noun);
}

}  // namespace waggle::verdict
