// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/testing/brief_record.hpp"

#include <algorithm>
#include <sstream>

#include "harness/report/style.hpp"
#include "harness/report/testing/whole_record.hpp"

namespace waggle::report::testing {

json interval(double median) {
  return {{"median", median}, {"low", median * 0.98}, {"high", median * 1.02}, {"runs", 6}};
}

json place(double measured, double modelled) {
  return {{"measured", measured}, {"verification", 0}, {"grade", "traced"}, {"modelled", modelled}, {"because", "x"}};
}

json both(double sender, double receiver) {
  return {{"sender", sender}, {"receiver", receiver}};
}

json cost(double each) {
  return {{"sender", interval(each)},
          {"receiver", interval(each)},
          {"processes", interval(2 * each)},
          {"machine", interval(3 * each)}};
}

json summary(double bits_per_second) {
  json distribution = {{"count", 20'000},  {"mean", 2e8},     {"p50", 200'000'000},       {"p90", 210'000'000},
                       {"p99", 220000000}, {"p999", 2200000}, {"buckets", json::array()}, {"max", 220000000}};
  return {{"stopped", "interval"},
          {"goodput_bits_per_second", interval(bits_per_second)},
          {"operations_per_second", interval(5)},
          {"cpu_seconds_per_gib", cost(0.11)},
          {"cpu_microseconds_per_operation", nullptr},
          {"cpu_share", cost(0.25)},
          {"counters", {{"sender", json::object()}, {"receiver", json::object()}}},
          {"copies",
           {{"sender", {{"kernel", place(1, 1)}, {"user", place(0, 0)}}},
            {"receiver", {{"kernel", place(2, 2)}, {"user", place(0, 0)}}},
            {"total", {{"measured", 3.0}, {"grade", "traced"}, {"modelled", 3.0}}}}},
          {"disagreements", json::array()},
          {"system_calls", both(1024, 4096)},
          {"mode_switches", both(2048, 8192)},
          {"context_switches", {{"voluntary", both(10, 20)}, {"involuntary", both(1, 2)}}},
          {"page_faults", {{"minor", both(100, 200)}, {"major", both(0, 0)}}},
          {"peak_memory_bytes", both(8 << 20, 9 << 20)},
          {"latency_ns", {{"read", distribution}}},
          {"verify_share", 0.042},
          {"tcp_retransmits", 0},
          {"packets_dropped", 0},
          {"probe_cost", {{"timed_seconds", 0.2}, {"probed_seconds", 0.22}, {"slowdown", 0.1}}}};
}

json ok_pair(const std::string& label, double bits_per_second) {
  const json facts = {{"sender", label},
                      {"receiver", "read_write"},
                      {"carrier", "stream"},
                      {"modes", {{{"name", "congestion"}, {"requested", "cubic"}, {"granted", "cubic"}}}}};
  const json model = {{"kernel", 1}, {"user", 0}, {"because", "page cache -> skb"}};
  const json call = {{"call", "sendfile"}, {"from", "file"}, {"to", "socket"},
                     {"calls", 1024},      {"errors", 0},    {"bytes", 1}};
  return {{"label", label},
          {"sender", label},
          {"receiver", "read_write"},
          {"link", "veth"},
          {"status", "ok"},
          {"facts", {{"sender", facts}, {"receiver", facts}}},
          {"model", {{"sender", model}, {"receiver", model}}},
          {"summary", summary(bits_per_second)},
          {"runs",
           {{{"kind", "timed"}, {"status", "ok"}, {"operations", 1}},
            {{"kind", "probed"},
             {"status", "ok"},
             {"operations", 1},
             {"trace",
              {{"why_not_better", "fentry is refused"},
               {"sender", {{"calls", {call}}}},
               {"receiver", {{"calls", json::array()}}}}}}}}};
}

json record_of(std::vector<json> pairs) {
  return {{"schema", "waggle-record/1"},
          {"workload", {{"name", "download"}, {"bulk", true}, {"server_sends", true}}},
          {"spec",
           {{"workload", "download"},
            {"file", nullptr},
            {"parameters", {{"size", 1 << 30}, {"clients", 1}}},
            {"link", "auto"},
            {"mtu", 0},
            {"offloads", true},
            {"sink", "tmpfs"},
            {"tmpfs_huge", false},
            {"cache", "warm"},
            {"seed", 7},
            {"channel", {{"congestion", "cubic"}}}}},
          {"environment",
           {{"noise", json::array()},
            {"links",
             {{"veth",
               {{"kind", "veth"}, {"modes", {{{"name", "server mtu"}, {"requested", "1500"}, {"granted", "1500"}}}}}},
              {"vhost", {{"kind", "vhost"}, {"modes", json::array()}}}}}}},
          {"pairs", pairs}};
}

std::string run_table(const json& record, const Style& style) {
  return report::run_table(whole_record(record), style);
}
std::string compare_table(const json& record, const Style& style) {
  return report::compare_table(whole_record(record), style);
}

std::size_t widest(const std::string& text) {
  std::istringstream lines(text);
  std::size_t width = 0;
  for (std::string line; std::getline(lines, line);) {
    width = std::max(width, columns(line));
  }
  return width;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace waggle::report::testing
