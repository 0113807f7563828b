// SPDX-License-Identifier: BSD-2-Clause
#include "harness/report/table.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "harness/report/style.hpp"
#include "harness/report/testing/brief_record.hpp"

namespace waggle::report {
namespace {

using namespace testing;
using nlohmann::json;

TEST_CASE("a run's table says what moved, how it was verified and what it cost") {
  const auto text = run_table(record_of({ok_pair("sendfile", 41.7e9)}), {});
  CHECK(holds(text, "download of 1 GiB over veth (MTU 1500, offloads on) into tmpfs, warm cache, cubic\n"));
  CHECK(holds(text, "sendfile → read_write: every byte verified in 2 runs (1 timed, 0 warm-up, 1 probed)"));
  CHECK(holds(text, "41.7 Gbit/s"));
  CHECK(holds(text, "95 % interval 40.9 Gbit/s – 42.5 Gbit/s; 6 runs, enough for the interval that is wanted"));
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

TEST_CASE("a mode that changed while runs were measured says from what") {
  auto pair = ok_pair("udp", 1e9);
  pair["facts"]["sender"]["modes"] = {
      {{"name", "packet"}, {"requested", "largest"}, {"granted", "1472 bytes"}, {"before", {"1200 bytes"}}},
      {{"name", "send_buffer"}, {"requested", "auto"}, {"granted", "auto"}, {"before", {"1", "2"}}},
      {{"name", "gso"}, {"requested", "yes"}, {"granted", "no"}, {"before", {"yes"}}}};
  const auto text = run_table(record_of({pair}), {});
  CHECK(holds(text, "packet 1472 bytes (requested largest; before 1200 bytes), send_buffer auto (before 1, then 2)"));
  CHECK(holds(text, "gso no (not the requested yes; before yes)"));
}

TEST_CASE("the share of a ceiling stands beside the goodput where there is one") {
  auto pair = ok_pair("afxdp", 4.5e9);
  CHECK_FALSE(holds(run_table(record_of({pair}), {}), "ceiling"));
  auto other = ok_pair("udp", 3e9);
  CHECK_FALSE(holds(compare_table(record_of({pair, other}), {}), "ceiling"));
  pair["ceiling"] = {{"goodput_bits_per_second", 9e9}, {"share", 0.5}, {"because", "the bare loop (copy)"}};
  const auto text = run_table(record_of({pair}), {});
  CHECK(holds(text, "of the ceiling"));
  CHECK(holds(text, " %  9 Gbit/s: the bare loop (copy)"));
  CHECK(holds(compare_table(record_of({pair, other}), {}), "% of ceiling"));
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

TEST_CASE("percentiles that so few samples do not carry are dashes, also in old records") {
  auto pair = ok_pair("sendfile", 41.7e9);
  auto& distribution = pair["summary"]["latency_ns"]["read"];
  distribution["count"] = 16;
  CHECK(holds(run_table(record_of({pair}), {}), " 200 ms    –    –      –  220 ms     16\n"));
  distribution["count"] = 5;
  distribution["p99"] = nullptr;
  CHECK(holds(run_table(record_of({pair}), {}), "    –    –    –      –  220 ms      5\n"));
  auto record = record_of({pair, ok_pair("mmap", 1e9)});
  record["workload"]["bulk"] = false;
  for (auto& each : record["pairs"]) {
    each["summary"]["cpu_microseconds_per_operation"] = cost(12);
  }
  CHECK(holds(compare_table(record, {}), "–"));
}

TEST_CASE("an interval says what it covers when that is less than 95 %, and that the machine drifted") {
  auto few = ok_pair("sendfile", 41.7e9);
  few["summary"]["goodput_bits_per_second"]["runs"] = 3;
  CHECK(holds(run_table(record_of({few}), {}), "75 % interval 40.9 Gbit/s – 42.5 Gbit/s; 3 runs"));
  CHECK(holds(compare_table(record_of({few, ok_pair("mmap", 1e9)}), {}), "40.9 – 42.5 (75 %)"));
  auto drifting = ok_pair("mmap", 1e9);
  drifting["summary"]["goodput_bits_per_second"]["drift"] = 0.6;
  CHECK(holds(run_table(record_of({drifting}), {}), "wider since the machine drifted"));
  CHECK(holds(compare_table(record_of({ok_pair("sendfile", 2e9), drifting}), {}),
              "The machine drifted, so intervals were widened: mmap."));
}

TEST_CASE("the median of an even number of runs is the mean of the two in the middle, in every table") {
  auto poller = ok_pair("dpdk", 1);
  poller["summary"]["cpu_share"] = cost(1);
  poller["runs"] = json::array();
  for (const int polls : {1000, 2000}) {
    poller["runs"].push_back({{"kind", "timed"},
                              {"status", "ok"},
                              {"operations", polls},
                              {"seconds", 1},
                              {"sender", {{"counters", {{"empty_polls", polls}}}}},
                              {"receiver", {{"counters", json::object()}}}});
  }
  auto record = record_of({poller, poller});
  record["workload"] = {{"name", "idle"}, {"bulk", false}, {"idle", true}, {"server_sends", true}};
  record["spec"]["workload"] = "idle";
  CHECK(holds(compare_table(record, {}), "1,500"));
}

}  // namespace
}  // namespace waggle::report
