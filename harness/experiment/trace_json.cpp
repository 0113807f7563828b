// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/trace_json.hpp"

#include <nlohmann/json.hpp>

namespace waggle::experiment {
namespace {

using nlohmann::json;

json side(const measure::SideTrace& trace) {
  json calls = json::array();
  for (const measure::CallCount& call : trace.calls) {
    calls.push_back({{"call", call.call},
                     {"from", call.from},
                     {"to", call.to},
                     {"calls", call.calls},
                     {"errors", call.errors},
                     {"bytes", call.bytes}});
  }
  return {{"calls", calls},
          {"system_calls", trace.system_calls},
          {"mode_switches", trace.mode_switches},
          {"voluntary_switches", trace.voluntary_switches},
          {"involuntary_switches", trace.involuntary_switches},
          {"socket_copied_bytes", trace.socket_copied_bytes},
          {"kernel_copied_bytes", trace.kernel_copied_bytes},
          {"verification_copied_bytes", trace.verification_copied_bytes},
          {"unseen", trace.unseen}};
}

}  // namespace

json to_json(const measure::Trace& trace) {
  return {{"grade", measure::name(trace.grade)},
          {"why_not_better", trace.why_not_better},
          {"sender", side(trace.sender)},
          {"receiver", side(trace.receiver)},
          {"cpu_busy_s", static_cast<double>(trace.cpu_busy_ns) / 1e9},
          {"softirq_s", static_cast<double>(trace.softirq_ns) / 1e9},
          {"window_s", static_cast<double>(trace.window_ns) / 1e9},
          {"tcp_retransmits", trace.tcp_retransmits},
          {"packets_dropped", trace.packets_dropped},
          {"drop_reasons", trace.drop_reasons}};
}

}  // namespace waggle::experiment
