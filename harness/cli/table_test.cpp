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
  const auto text = run_table(record_of({pair}), {});
  CHECK(holds(text, "not all was granted as requested:\n"));
  CHECK(holds(text, "  sender    zerocopy copied (not the requested on)\n"));
  CHECK(holds(text, "  receiver  congestion cubic\n"));
  CHECK(holds(run_table(record_of({pair}), {.colour = true}), "\x1b[33mzerocopy copied (not the requested on)\x1b[0m"));
}

TEST_CASE("what was left to the kernel is told, but is no warning") {
  auto pair = ok_pair("afxdp", 1e9);
  for (const auto* side : {"sender", "receiver"}) {
    pair["facts"][side]["modes"].push_back({{"name", "zero_copy"}, {"requested", "auto"}, {"granted", "no"}});
  }
  const auto text = run_table(record_of({pair}), {.colour = true});
  CHECK(holds(text, "congestion cubic, zero_copy no (requested auto)\n"));
  CHECK_FALSE(holds(text, "not all was granted"));
}

json mode(const char* name, const char* requested, const char* granted) {
  return {{"name", name}, {"requested", requested}, {"granted", granted}};
}

/// Two that have the same modes, one with others, and one that was granted something else than it asked for.
json record_of_modes() {
  auto copied = ok_pair("afxdp", 1e9);
  for (const auto* side : {"sender", "receiver"}) {
    copied["facts"][side]["modes"].push_back(mode("xdp", "native", "generic"));
  }
  copied["facts"]["sender"]["modes"].push_back(mode("packet", "largest", "1200 bytes"));
  copied["facts"]["receiver"]["modes"].push_back(mode("packet", "largest", "1472 bytes"));
  auto udp = ok_pair("udp", 2e9);
  udp["facts"]["sender"]["modes"].push_back(mode("gso", "yes", "yes"));
  return record_of({copied, udp, ok_pair("sendfile", 4e9), ok_pair("mmap", 3e9)});
}

TEST_CASE("below a comparison stands what every row was granted, and what all were but once") {
  const auto record = record_of_modes();
  const auto text = compare_table(record, {});
  CHECK(holds(text,
              "\nnot all was granted as requested:\n"
              "  all       congestion cubic\n"
              "  udp       sender: gso yes\n"
              "  afxdp     xdp generic (not the requested native); sender: packet 1200 bytes (requested largest); "
              "receiver: packet 1472 bytes (requested largest)\n"
              "  link      server mtu 1500\n"));
  CHECK(text.find("Gbit/s") < text.find("not all was granted"));
  const auto coloured = compare_table(record, {.width = 80, .colour = true});
  CAPTURE(coloured);
  CHECK(holds(coloured, "\x1b[33mxdp generic (not the requested native)\x1b[0m"));
  CHECK(widest(coloured) <= 80);
}

TEST_CASE("rows that were granted the same share a line") {
  auto slow = ok_pair("splice", 1e9);
  auto fast = ok_pair("mmap", 3e9);
  for (auto* pair : {&slow, &fast}) {
    (*pair)["facts"]["sender"]["modes"].push_back(mode("pipe", "1048576", "1048576"));
  }
  const auto text = compare_table(record_of({slow, ok_pair("sendfile", 2e9), fast}), {});
  CHECK(holds(text, "\ngranted as requested, unless said otherwise\n"));
  CHECK(holds(text, "  mmap, splice  sender: pipe 1048576\n"));
  CHECK_FALSE(holds(text, "\n  sendfile"));
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
    CHECK(widest(compare_table(record_of_modes(), {.width = width})) <= width);
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
  const auto record = record_of_modes();
  CHECK(holds(compare_table(record, {.colour = true}), "\x1b[32m4.00\x1b[0m"));
  for (const std::size_t width : {0U, 80U}) {
    auto coloured = compare_table(record, {.width = width, .colour = true});
    for (auto at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b')) {
      coloured.erase(at, coloured.find('m', at) - at + 1);
    }
    CHECK(coloured == compare_table(record, {.width = width}));
  }
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
  const auto fixed = text.find("  dpdk      sender: congestion fixed; receiver: congestion cubic\n");
  CHECK(vhost < fixed);
  CHECK(fixed < veth);
  CHECK(text.find("  sendfile  congestion cubic\n") > veth);
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
