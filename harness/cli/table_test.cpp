// SPDX-License-Identifier: BSD-2-Clause
#include "harness/cli/table.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/cli/terminal.hpp"

namespace waggle::cli {
namespace {

using nlohmann::json;

json interval(double median) {
  return {{"median", median}, {"low", median * 0.98}, {"high", median * 1.02}, {"runs", 5}};
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
  json distribution = {{"count", 5},       {"mean", 2e8},     {"p50", 200'000'000},       {"p90", 210'000'000},
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

TEST_CASE("a run's table says what moved, how it was verified and what it cost") {
  const auto text = run_table(record_of({ok_pair("sendfile", 41.7e9)}), {});
  CHECK(holds(text, "download of 1 GiB over veth (MTU 1500, offloads on) into tmpfs, warm cache, cubic\n"));
  CHECK(holds(text, "sendfile → read_write: every byte verified in 2 runs (1 timed, 0 warm-up, 1 probed)"));
  CHECK(holds(text, "41.7 Gbit/s"));
  CHECK(holds(text, "95 % interval 40.9 Gbit/s – 42.5 Gbit/s; 5 runs, then the interval was narrow enough"));
  CHECK(holds(text, "0.22 s"));
  CHECK(holds(text, "4.2 %"));
  CHECK(holds(text, "+10.0 %"));
  CHECK(holds(text, "sendfile file→socket"));
  CHECK(holds(text, "2.00 traced"));
  CHECK(holds(text, "8 MiB"));
  CHECK(holds(text, "Copies are traced, not counted: fentry is refused"));
  CHECK_FALSE(holds(text, "\x1b"));
}

TEST_CASE("a mode that the kernel granted differently stands out") {
  auto pair = ok_pair("zerocopy", 1e9);
  pair["facts"]["sender"]["modes"][0] = {{"name", "zerocopy"}, {"requested", "on"}, {"granted", "copied"}};
  CHECK(holds(run_table(record_of({pair}), {}), "zerocopy copied (requested on)"));
}

TEST_CASE("copies that were not measured are called modelled") {
  auto pair = ok_pair("sendfile", 1e9);
  pair["summary"]["copies"]["sender"]["kernel"]["measured"] = nullptr;
  pair["probe_problem"] = "no BPF here";
  const auto text = run_table(record_of({pair}), {});
  CHECK(holds(text, "1.00 modelled"));
  CHECK(holds(text, "Not probed, so copies are modelled: no BPF here"));
}

TEST_CASE("a comparison is ranked, best first, with what disagrees and what could not run below") {
  auto doubtful = ok_pair("mmap", 20e9);
  doubtful["summary"]["disagreements"] = {
      {{"side", "sender"}, {"place", "kernel"}, {"measured", 2.0}, {"modelled", 1.0}, {"difference", 1.0}}};
  const json absent = {{"label", "uring"},
                       {"sender", "uring"},
                       {"receiver", "uring"},
                       {"status", "unavailable"},
                       {"reason", "io_uring is switched off"},
                       {"hint", "set kernel.io_uring_disabled=0"},
                       {"fault", "missing"},
                       {"runs", json::array()}};
  const auto text = compare_table(record_of({absent, doubtful, ok_pair("sendfile", 41.7e9)}), {});
  CHECK(text.find("sendfile") < text.find("mmap"));
  CHECK(text.find("mmap") < text.find("mmap, sender, kernel: measured 2.00, modelled 1.00 (+100 %)"));
  CHECK(text.find("disagree") < text.find("uring: io_uring is switched off; set kernel.io_uring_disabled=0"));
  CHECK(holds(text, "40.9 – 42.5"));
  CHECK(holds(text, "10,240"));
  CHECK(holds(text, "seed 7"));
}

TEST_CASE("tables keep to the terminal's width and say what they left out") {
  const auto record = record_of({ok_pair("sendfile", 41.7e9), ok_pair("mmap", 20e9)});
  for (const std::size_t width : {60U, 80U, 100U, 132U}) {
    const auto text = compare_table(record, {.width = width});
    CAPTURE(width, text);
    CHECK(widest(text) <= width);
    CHECK(holds(text, "sendfile"));
    CHECK(holds(text, "41.7"));
    CHECK(holds(text, "too narrow for"));
    CHECK(widest(run_table(record, {.width = std::max<std::size_t>(width, 80)})) <= std::max<std::size_t>(width, 80));
  }
  CHECK_FALSE(holds(compare_table(record, {}), "too narrow"));
}

TEST_CASE("colour is an ornament: without its codes the text is the same") {
  const auto record = record_of({ok_pair("sendfile", 41.7e9), ok_pair("mmap", 20e9)});
  auto coloured = compare_table(record, {.colour = true});
  CHECK(holds(coloured, "\x1b[32m41.7\x1b[0m"));
  for (auto at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b')) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  CHECK(coloured == compare_table(record, {}));
}

TEST_CASE("workloads without bulk are ranked by operations and show latencies") {
  auto slow = ok_pair("mmap", 9e9);
  auto fast = ok_pair("sendfile", 1e9);
  fast["summary"]["operations_per_second"] = interval(20'000);
  for (auto* pair : {&slow, &fast}) {
    (*pair)["summary"]["cpu_seconds_per_gib"] = nullptr;
    (*pair)["summary"]["cpu_microseconds_per_operation"] = cost(12);
  }
  auto record = record_of({slow, fast});
  record["workload"]["bulk"] = false;
  const auto text = compare_table(record, {});
  CHECK(text.find("sendfile") < text.find("mmap"));
  CHECK(holds(text, "p99 µs"));
  CHECK(holds(text, "20,000"));
  CHECK(holds(text, "200,000"));
}

TEST_CASE("links are never mixed: a table for each, and a mode of each pair") {
  auto kernel = ok_pair("sendfile", 41.7e9);
  auto bypass = ok_pair("dpdk", 60e9);
  bypass["link"] = "vhost";
  bypass["facts"]["sender"]["modes"][0] = {{"name", "congestion"}, {"requested", "fixed"}, {"granted", "fixed"}};
  bypass["summary"]["counters"] = {{"sender", {{"empty_polls", 12345}, {"retransmissions", 3}}},
                                   {"receiver", {{"empty_polls", 0}, {"retransmissions", 0}}}};
  const auto text = compare_table(record_of({bypass, kernel}), {});
  const auto veth = text.find("Over veth (MTU 1500, offloads on)");
  const auto vhost = text.find("Over vhost\n");
  REQUIRE(veth != std::string::npos);
  REQUIRE(vhost != std::string::npos);
  CHECK(vhost < text.find("dpdk"));
  CHECK(text.find("dpdk") < veth);
  CHECK(veth < text.find("sendfile"));
  CHECK(holds(text, "Congestion control: fixed."));
  CHECK(holds(text, "Congestion control: cubic."));
  CHECK(holds(text, "12,345"));
  CHECK(holds(text, "Figures of different links do not compare."));
  CHECK_FALSE(holds(compare_table(record_of({kernel, ok_pair("mmap", 1e9)}), {}), "Over veth"));
}

TEST_CASE("different congestion control in one table is said, pair by pair") {
  auto fixed = ok_pair("udp", 10e9);
  fixed["facts"]["sender"]["modes"][0] = {{"name", "congestion"}, {"requested", "fixed"}, {"granted", "fixed"}};
  const auto text = compare_table(record_of({fixed, ok_pair("sendfile", 41.7e9)}), {});
  CHECK(holds(text, "Congestion control differs: cubic of sendfile; fixed of udp."));
}

TEST_CASE("what a datapath counts is shown, empty polls apart from work") {
  auto pair = ok_pair("afxdp", 10e9);
  pair["summary"]["counters"] = {{"sender", {{"empty_polls", 300}, {"rx_bursts", 100}, {"wakeup_calls", 7}}},
                                 {"receiver", {{"empty_polls", 0}, {"rx_bursts", 50}, {"rx_dropped", 0}}}};
  pair["runs"][1]["trace"]["receiver"]["unseen"] = "AF_XDP copies unseen";
  const auto text = run_table(record_of({pair}), {});
  CHECK(holds(text, "300 (75 % of polls)"));
  CHECK(holds(text, "wakeup calls"));
  CHECK_FALSE(holds(text, "rx dropped"));
  CHECK(holds(text, "only modelled: AF_XDP copies unseen"));
}

TEST_CASE("idle connections are ranked by the CPU that they take, the least first") {
  auto sleeper = ok_pair("sendfile", 1);
  auto poller = ok_pair("dpdk", 1);
  sleeper["summary"]["cpu_share"] = cost(0.001);
  poller["summary"]["cpu_share"] = cost(1);
  for (auto* pair : {&sleeper, &poller}) {
    for (auto& run : (*pair)["runs"]) {
      run["seconds"] = 2;
      run["sender"] = {{"counters", {{"empty_polls", 4000}}}};
      run["receiver"] = {{"counters", json::object()}};
    }
  }
  auto record = record_of({poller, sleeper});
  record["workload"] = {{"name", "idle"}, {"bulk", false}, {"idle", true}, {"server_sends", true}};
  record["spec"]["workload"] = "idle";
  const auto text = compare_table(record, {});
  CHECK(text.find("sendfile") < text.find("dpdk"));
  CHECK(holds(text, "CPU %"));
  CHECK(holds(text, "200"));
  CHECK(holds(text, "2,000"));
  CHECK(holds(run_table(record, {}), "CPU while idle"));
}

}  // namespace
}  // namespace waggle::cli
