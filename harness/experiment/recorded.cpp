// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/recorded.hpp"

#include <optional>
#include <utility>

#include "harness/statistics/statistics.hpp"

namespace waggle::experiment {
namespace {

double seconds_of(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

record::PartyTrace party_recorded(const measure::PartyTrace& trace) {
  record::PartyTrace party{.role = trace.role,
                           .calls = {},
                           .system_calls = trace.system_calls,
                           .mode_switches = trace.mode_switches,
                           .voluntary_switches = trace.voluntary_switches,
                           .involuntary_switches = trace.involuntary_switches,
                           .socket_copied_bytes = trace.socket_copied_bytes,
                           .kernel_copied_bytes = trace.kernel_copied_bytes,
                           .verification_copied_bytes = trace.verification_copied_bytes,
                           .unseen = trace.unseen};
  for (const measure::CallCount& call : trace.calls) {
    party.calls.push_back({.call = call.call,
                           .from = call.from,
                           .to = call.to,
                           .calls = call.calls,
                           .errors = call.errors,
                           .bytes = call.bytes});
  }
  return party;
}

}  // namespace

std::vector<record::Mode> recorded(const std::vector<Mode>& modes) {
  std::vector<record::Mode> list;
  for (const Mode& mode : modes) {
    list.push_back({.name = mode.name, .requested = mode.requested, .granted = mode.granted});
  }
  return list;
}

record::Facts recorded(const Facts& facts) {
  return {.outgoing = facts.sender,
          .incoming = facts.receiver,
          .carrier = facts.carrier == Carrier::stream ? "stream" : "packet",
          .modes = recorded(facts.modes)};
}

record::Model recorded(const CopyModel& model, record::Dma dma) {
  return {.kernel = model.kernel,
          .user = model.user,
          .because = model.because,
          .uncounted = model.uncounted,
          .dma = std::move(dma)};
}

record::Usage recorded(const SideUsage& usage) {
  return {.user_s = seconds_of(usage.user_ns),
          .system_s = seconds_of(usage.system_ns),
          .voluntary_switches = usage.voluntary_switches,
          .involuntary_switches = usage.involuntary_switches,
          .minor_faults = usage.minor_faults,
          .major_faults = usage.major_faults,
          .peak_memory_bytes = usage.peak_memory_bytes,
          .user_copied_bytes = usage.user_copied_bytes,
          .perf = {},
          .counters = usage.counters};
}

record::Trace recorded(const measure::Trace& trace) {
  record::Trace seen{.grade = trace.grade,
                     .why_not_better = trace.why_not_better,
                     .parties = {},
                     .cpu_busy_s = seconds_of(trace.cpu_busy_ns),
                     .softirq_s = seconds_of(trace.softirq_ns),
                     .window_s = seconds_of(trace.window_ns),
                     .tcp_retransmits = trace.tcp_retransmits,
                     .packets_dropped = trace.packets_dropped,
                     .drop_reasons = trace.drop_reasons};
  for (const measure::PartyTrace& party : trace.parties) {
    seen.parties.push_back(party_recorded(party));
  }
  return seen;
}

record::Calibration recorded(const measure::Calibration& calibration) {
  return {.arithmetic_ns = calibration.arithmetic_ns, .memory_ns = calibration.memory_ns, .spread = calibration.spread};
}

record::Distribution recorded(const Histogram& histogram) {
  const auto carried = [&](double quantile) {
    return statistics::carries(histogram.count(), quantile) ? std::optional(histogram.quantile(quantile))
                                                            : std::nullopt;
  };
  return {.count = histogram.count(),
          .mean = histogram.mean(),
          .p50 = carried(0.5),
          .p90 = carried(0.9),
          .p99 = carried(0.99),
          .p999 = carried(0.999),
          .max = histogram.max(),
          .buckets = histogram.buckets()};
}

void merge(Histogram& sum, const record::Distribution& distribution) {
  const auto& buckets = distribution.buckets;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    auto [lowest, count] = buckets[i];
    if (i + 1 == buckets.size()) {
      // A bucket only knows its lowest value, the maximum is known exactly.
      sum.record(distribution.max);
      --count;
    }
    if (count > 0) {
      sum.record(lowest, count);
    }
  }
}

std::vector<record::Participant> participants(const Pair& pair, bool server_sends) {
  const auto at = [](bool server) { return server ? "server" : "client"; };
  return {{.role = record::Role::sender, .host = at(server_sends), .datapath = pair.sender},
          {.role = record::Role::receiver, .host = at(!server_sends), .datapath = pair.receiver}};
}

}  // namespace waggle::experiment
