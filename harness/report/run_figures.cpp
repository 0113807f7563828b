// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/run_figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace waggle::report {
namespace {

constexpr double kGibibyte = 1024.0 * 1024 * 1024;
constexpr double kMicro = 1e6;
constexpr double kNano = 1e9;

double payload_gib(const record::Run& run) {
  return static_cast<double>(run.payload_bytes) / kGibibyte;
}

double operations_of(const record::Run& run) {
  return static_cast<double>(run.operations);
}

double sum_over(const record::Run& run, double record::Usage::* member) {
  double sum = 0;
  for (const auto& party : run.parties) {
    sum += party.usage.*member;
  }
  return sum;
}

/// The user's part of the time that went by in polls which found nothing, and were not followed by a sleep. What they
/// cost the kernel stays with its part. No number where no party tells it.
double empty_poll_s(const record::Run& run) {
  double ns = std::numeric_limits<double>::quiet_NaN();
  for (const auto& party : run.parties) {
    if (const auto found = party.usage.counters.find("empty_poll_ns"); found != party.usage.counters.end()) {
      const double of_party = std::min(static_cast<double>(found->second), party.usage.user_s * kNano);
      ns = std::isnan(ns) ? of_party : ns + of_party;
    }
  }
  return ns / kNano;
}

constexpr auto kRunFigures = std::to_array<RunFigure>({
    {"goodput", "bit/s", Better::more, [](const record::Run& run) { return run.goodput_bits_per_second; }},
    {"operations", "1/s", Better::more, [](const record::Run& run) { return run.operations_per_second; }},
    {"seconds", "s", Better::less, [](const record::Run& run) { return run.seconds; }},
    {"cpu.per_gib", "s/GiB", Better::less, [](const record::Run& run) { return run.cpu_s() / payload_gib(run); }},
    {"cpu.machine_per_gib", "s/GiB", Better::less,
     [](const record::Run& run) { return run.machine.busy_s / payload_gib(run); }},
    {"cpu.user_per_gib", "s/GiB", Better::less,
     [](const record::Run& run) { return sum_over(run, &record::Usage::user_s) / payload_gib(run); }},
    {"cpu.system_per_gib", "s/GiB", Better::less,
     [](const record::Run& run) { return sum_over(run, &record::Usage::system_s) / payload_gib(run); }},
    {"cpu.softirq_per_gib", "s/GiB", Better::less,
     [](const record::Run& run) { return run.machine.softirq_s / payload_gib(run); }},
    {"cpu.empty_polls_per_gib", "s/GiB", Better::less,
     [](const record::Run& run) { return empty_poll_s(run) / payload_gib(run); }},
    {"cpu.per_operation", "us", Better::less,
     [](const record::Run& run) { return run.cpu_s() * kMicro / operations_of(run); }},
    {"cpu.machine_per_operation", "us", Better::less,
     [](const record::Run& run) { return run.machine.busy_s * kMicro / operations_of(run); }},
    {"cpu.share", "", Better::less, [](const record::Run& run) { return run.cpu_s() / run.seconds; }},
    {"cpu.machine_share", "", Better::less, [](const record::Run& run) { return run.machine.busy_s / run.seconds; }},
});

}  // namespace

std::span<const RunFigure> run_figures() {
  return kRunFigures;
}

const RunFigure* run_figure(std::string_view name) {
  const auto* const found = std::ranges::find(kRunFigures, name, &RunFigure::name);
  return found == kRunFigures.end() ? nullptr : found;
}

}  // namespace waggle::report
