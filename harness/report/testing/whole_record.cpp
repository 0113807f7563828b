// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/testing/whole_record.hpp"

#include <stdexcept>
#include <utility>

namespace waggle::report {
namespace {

using nlohmann::json;

/// `given`, with what it does not say from `others`.
json completed(const json& given, json others) {
  others.update(given, true);
  return others;
}

json some_usage() {
  return {{"user_s", 0},
          {"system_s", 0},
          {"voluntary_switches", 0},
          {"involuntary_switches", 0},
          {"minor_faults", 0},
          {"major_faults", 0},
          {"peak_memory_bytes", 0},
          {"user_copied_bytes", 0},
          {"counters", json::object()}};
}

json some_run() {
  return {{"order", 0},
          {"verified", true},
          {"cache", {{"name", "page cache"}, {"requested", "warm"}, {"granted", "warm"}}},
          {"seconds", 1},
          {"payload_bytes", 0},
          {"goodput_bits_per_second", 0},
          {"operations_per_second", 0},
          {"latency_ns", json::object()},
          {"verify_seconds", 0},
          {"timeline", {{"interval_s", 1}, {"bytes", json::array()}}},
          {"sender", some_usage()},
          {"receiver", some_usage()},
          {"machine", {{"busy_s", 0}, {"softirq_s", 0}, {"steal_s", 0}}}};
}

json some_side_trace() {
  return {{"system_calls", 0},
          {"mode_switches", 0},
          {"voluntary_switches", 0},
          {"involuntary_switches", 0},
          {"socket_copied_bytes", 0},
          {"kernel_copied_bytes", 0},
          {"verification_copied_bytes", 0}};
}

json some_trace() {
  return {{"grade", "traced"},
          {"sender", some_side_trace()},
          {"receiver", some_side_trace()},
          {"cpu_busy_s", 0},
          {"softirq_s", 0},
          {"window_s", 0},
          {"tcp_retransmits", 0},
          {"packets_dropped", 0},
          {"drop_reasons", json::object()}};
}

json some_environment() {
  const json calibration{{"arithmetic_ns", 1}, {"memory_ns", 1}, {"spread", 0}};
  return {{"kernel", "6.1"},
          {"noisy", false},
          {"steal_share", 0},
          {"calibration", {{"before", calibration}, {"after", calibration}}}};
}

}  // namespace

record::Record whole_record(const json& brief) {
  json whole = completed(brief, {{"created", ""},
                                 {"finished", ""},
                                 {"command_line", json::array()},
                                 {"git", {{"revision", ""}, {"dirty", false}}},
                                 {"environment", some_environment()}});
  for (json& link : whole["environment"]["links"]) {
    link = completed(link, {{"server_address", ""},
                            {"client_address", ""},
                            {"interfaces", {{"server", json::object()}, {"client", json::object()}}}});
  }
  for (json& pair : whole["pairs"]) {
    for (json& run : pair["runs"]) {
      run = completed(run, some_run());
      if (run.contains("trace")) {
        run["trace"] = completed(run["trace"], some_trace());
      }
    }
  }
  auto record = record::from_json(whole);
  if (!record) {
    throw std::runtime_error(record.error().what);
  }
  return *std::move(record);
}

}  // namespace waggle::report
