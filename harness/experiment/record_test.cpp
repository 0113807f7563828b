// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "base/histogram.hpp"
#include "harness/experiment/control.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/granted.hpp"
#include "harness/experiment/record_file.hpp"
#include "harness/experiment/summary.hpp"
#include "harness/experiment/timeline.hpp"

using namespace waggle;
using namespace waggle::experiment;
using nlohmann::json;

namespace {

constexpr std::uint64_t kGiB = 1024U * 1024U * 1024U;

json side(double user, double system, std::uint64_t copied) {
  return {{"user_s", user},
          {"system_s", system},
          {"voluntary_switches", 3},
          {"involuntary_switches", 1},
          {"minor_faults", 10},
          {"major_faults", 0},
          {"peak_memory_bytes", 5'000'000},
          {"user_copied_bytes", copied},
          {"counters", json::object()}};
}

json run(const std::string& kind, double seconds, std::uint64_t latency) {
  Histogram histogram;
  histogram.record(latency);
  return {{"kind", kind},
          {"order", 0},
          {"status", "ok"},
          {"verified", true},
          {"seconds", seconds},
          {"payload_bytes", kGiB},
          {"operations", 1},
          {"goodput_bits_per_second", static_cast<double>(kGiB) * 8 / seconds},
          {"operations_per_second", 1 / seconds},
          {"latency_ns", {{"download", to_json(histogram)}}},
          {"verify_seconds", 0.1},
          {"sender", side(0.1, 0.2, 0)},
          {"receiver", side(0.2, 0.5, kGiB)},
          {"machine", {{"busy_s", 1.5}, {"softirq_s", 0.3}, {"steal_s", 0}}}};
}

json trace_side(std::uint64_t copied) {
  return {
      {"system_calls", 40}, {"mode_switches", 80}, {"kernel_copied_bytes", copied}, {"verification_copied_bytes", 0}};
}

json probed(double seconds, std::uint64_t sender_copied) {
  json probed = run("probed", seconds, 5);
  probed["trace"] = {{"grade", "traced"},
                     {"sender", trace_side(sender_copied)},
                     {"receiver", trace_side(2 * kGiB)},
                     {"tcp_retransmits", 2},
                     {"packets_dropped", 0}};
  return probed;
}

const json kModel{{"sender", {{"kernel", 0.0}, {"user", 0.0}, {"because", "pages are referenced"}}},
                  {"receiver", {{"kernel", 2.0}, {"user", 0.0}, {"because", "recv and write"}}}};

std::filesystem::path temporary(const std::string& name) {
  const char* place = std::getenv("TMPDIR");
  return std::filesystem::path(place != nullptr ? place : "/tmp") / (std::to_string(::getpid()) + "-" + name);
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("times come from timed runs, copies and system calls from probed ones") {
  const json runs{run("warmup", 9, 9'000), run("timed", 1, 1'000), run("timed", 3, 3'000),
                  run("timed", 2, 2'000),  probed(4, 0),           probed(4, 0)};
  const json summary = summarise(runs, kModel, 1, Stop::budget, nullptr);
  CHECK(summary.at("stopped") == "budget");
  CHECK(summary.at("goodput_bits_per_second").at("median") == Approx(static_cast<double>(kGiB) * 4));
  CHECK(summary.at("goodput_bits_per_second").at("runs") == 3);
  CHECK(summary.at("cpu_seconds_per_gib").at("processes").at("median") == Approx(1.0));
  CHECK(summary.at("cpu_seconds_per_gib").at("machine").at("median") == Approx(1.5));
  CHECK(summary.at("mode_switches").at("sender") == 80);
  CHECK(summary.at("probe_cost").at("slowdown") == Approx(1.0));
  CHECK(summary.at("verify_share") == Approx(0.05));
  CHECK(summary.at("tcp_retransmits") == 2);
  const json& latency = summary.at("latency_ns").at("download");
  CHECK(latency.at("count") == 3);
  CHECK(latency.at("max") == 3'000);
}

TEST_CASE("measured copies stand beside the model with their grade, and a difference is shown") {
  const json runs{run("timed", 1, 1), probed(1, kGiB / 2)};
  const json summary = summarise(runs, kModel, 1, Stop::budget, nullptr);
  const json& copies = summary.at("copies");
  CHECK(copies.at("sender").at("kernel").at("measured") == Approx(0.5));
  CHECK(copies.at("sender").at("kernel").at("grade") == "traced");
  CHECK(copies.at("receiver").at("kernel").at("measured") == Approx(2.0));
  CHECK(copies.at("receiver").at("user").at("measured") == Approx(1.0));
  CHECK(copies.at("receiver").at("user").at("grade") == "counted");
  CHECK(copies.at("total").at("measured") == Approx(3.5));
  CHECK(copies.at("total").at("grade") == "traced");
  CHECK(copies.at("total").at("modelled") == Approx(2.0));
  REQUIRE(summary.at("disagreements").size() == 2);
  CHECK(summary.at("disagreements")[0].at("side") == "sender");
  CHECK(summary.at("disagreements")[0].at("place") == "kernel");
  CHECK(summary.at("disagreements")[1].at("side") == "receiver");
  CHECK(summary.at("disagreements")[1].at("place") == "user");
}

TEST_CASE("without probed runs only the model is known of the kernel") {
  const json summary = summarise(json::array({run("timed", 1, 1)}), kModel, 1, Stop::most_runs, nullptr);
  CHECK(summary.at("copies").at("receiver").at("kernel").at("measured").is_null());
  CHECK(summary.at("copies").at("receiver").at("kernel").at("grade") == "modelled");
  CHECK(summary.at("copies").at("total").at("measured").is_null());
  CHECK(summary.at("mode_switches").is_null());
  CHECK(summary.at("probe_cost").is_null());
}

TEST_CASE("copies that code of others makes are modelled, whatever our own counter says") {
  json model = kModel;
  model["sender"]["user"] = 1.0;
  model["sender"]["uncounted"] = "net_vhost: mbuf -> ring";
  const json summary = summarise({run("timed", 1, 1), probed(1, 0)}, model, 1, Stop::most_runs, nullptr);
  const json& copies = summary.at("copies");
  CHECK(copies.at("sender").at("user").at("measured").is_null());
  CHECK(copies.at("sender").at("user").at("grade") == "modelled");
  CHECK(copies.at("sender").at("user").at("modelled") == Approx(1.0));
  CHECK(copies.at("sender").at("kernel").at("grade") == "traced");
  CHECK(copies.at("receiver").at("user").at("grade") == "counted");
  CHECK(copies.at("total").at("grade") == "modelled");
}

TEST_CASE("histograms of runs are merged, not their percentiles") {
  json first = run("timed", 1, 100);
  json second = run("timed", 1, 100);
  Histogram slow;
  slow.record(1'000'003, 99);
  second["latency_ns"]["download"] = to_json(slow);
  const json latency = summarise(json{first, second}, kModel, 1, Stop::budget, nullptr).at("latency_ns").at("download");
  CHECK(latency.at("count") == 100);
  CHECK(latency.at("p50").get<double>() == Approx(1'000'003).epsilon(0.01));
  CHECK(latency.at("max") == 1'000'003);
}

TEST_CASE("a record holds only percentiles that the samples carry") {
  const json few = summarise(json{run("timed", 1, 1), run("timed", 1, 1)}, kModel, 1, Stop::budget, nullptr);
  for (const char* quantile : {"p50", "p90", "p99", "p999"}) {
    CHECK(few.at("latency_ns").at("download").at(quantile).is_null());
  }
  CHECK(few.at("latency_ns").at("download").at("max") == 1);
  Histogram many;
  many.record(7, 1000);
  CHECK(to_json(many).at("p99") == 7);
  CHECK(to_json(many).at("p999").is_null());
}

json placed(double seconds, std::uint64_t round, double before, double after) {
  json timed = run("timed", seconds, 1);
  timed["round"] = round;
  timed["conditions"] = {{"placement_ns", {{"before", before}, {"after", after}}}};
  return timed;
}

/// Two pairs over one link whose runs took these seconds, at these distances.
json record_of(const json& first, const json& second, PlacementRule rule) {
  Spec spec;
  spec.placement = rule;
  const Pair one{"sendfile", "read_write", "veth"};
  const Pair other{"mmap", "read_write", "veth"};
  spec.pairs = {one, other};
  return build_record(
      spec,
      {.created = timestamp(),
       .git = {},
       .workload = {{"bulk", true}, {"idle", false}},
       .environment = {},
       .share = "l3"},
      {{.pair = one, .model = kModel, .runs = first}, {.pair = other, .model = kModel, .runs = second}});
}

TEST_CASE("figures come from one placement, and those of another one stand apart") {
  const json near{placed(1, 0, 75, 75), placed(1, 1, 76, 74), placed(1, 2, 75, 75), placed(1, 3, 75, 75)};
  json fast = near;
  json slow = near;
  for (const std::uint64_t round : {4U, 5U, 6U}) {
    fast.push_back(placed(4, round, 340, 345));
    slow.push_back(placed(8, round, 340, 345));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    slow[i]["goodput_bits_per_second"] = slow[i].at("goodput_bits_per_second").get<double>() / 2;
  }
  const json record = record_of(fast, slow, PlacementRule::same);
  CHECK(record.at("placement").at("counted") == 0);
  CHECK(record.at("placement").at("groups").size() == 2);
  CHECK(record.at("placement").at("groups")[1].at("runs").at("mmap") == 3);
  const json& pair = record.at("pairs")[1];
  CHECK(pair.at("runs")[6].at("conditions").at("group") == 1);
  CHECK(pair.at("summary").at("goodput_bits_per_second").at("runs") == 4);
  CHECK(pair.at("summary").at("goodput_bits_per_second").at("median") == Approx(static_cast<double>(kGiB) * 4));
  CHECK(pair.at("summary").at("ratio").at("to") == "sendfile");
  CHECK(pair.at("summary").at("ratio").at("median") == Approx(0.5));
  REQUIRE(pair.at("elsewhere").size() == 1);
  CHECK(pair.at("elsewhere")[0].at("summary").at("goodput_bits_per_second").at("runs") == 3);
  const json any = record_of(fast, slow, PlacementRule::any);
  CHECK(any.at("placement").at("counted").is_null());
  CHECK(any.at("pairs")[1].at("summary").at("goodput_bits_per_second").at("runs") == 7);
}

TEST_CASE(
    "without a placement that all pairs have all runs count, and so does a run that moved when there is no other") {
  const json apart =
      record_of(json::array({placed(1, 0, 75, 75)}), json::array({placed(1, 0, 340, 340)}), PlacementRule::same);
  CHECK(apart.at("placement").at("counted").is_null());
  CHECK(apart.at("pairs")[0].at("summary").at("goodput_bits_per_second").at("runs") == 1);
  json moved = placed(1, 0, 75, 340);
  moved["kind"] = "moved";
  const json record = record_of(json::array({moved}), json::array({placed(1, 0, 75, 75), moved}), PlacementRule::same);
  CHECK(record.at("placement").at("counted").is_null());
  CHECK(record.at("pairs")[0].at("runs")[0].at("kind") == "timed");
  CHECK(record.at("pairs")[1].at("runs")[1].at("kind") == "moved");
  CHECK(record.at("pairs")[1].at("summary").at("goodput_bits_per_second").at("runs") == 1);
}

TEST_CASE("a failed and an unavailable pair say why, and have no summary") {
  Spec spec;
  PairRecord failed{.pair = {"sendfile", "read_write"}, .problem = Error{Fault::corrupt, "digests differ", "", 0}};
  PairRecord missing{
      .pair = {"dpdk", "dpdk"}, .unavailable = true, .problem = Error{Fault::missing, "no NIC", "buy", 0}};
  spec.pairs = {failed.pair, missing.pair};
  const json record = build_record(spec, {.created = timestamp()}, {failed, missing});
  CHECK(record.at("pairs")[0].at("status") == "failed");
  CHECK(record.at("pairs")[0].at("reason") == "digests differ");
  CHECK_FALSE(record.at("pairs")[0].contains("summary"));
  CHECK(record.at("pairs")[1].at("status") == "unavailable");
  CHECK(record.at("pairs")[1].at("hint") == "buy");
}

TEST_CASE("a record is written whole and leaves nothing beside it") {
  const auto directory = temporary("records");
  std::filesystem::create_directory(directory);
  REQUIRE(write_record(directory / "r.json", json{{"a", 1}}));
  CHECK(content(directory / "r.json") == "{\"a\":1}\n");
  CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 1);
  const auto refused = write_record(directory / "no" / "r.json", json::object());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::not_found);
  std::filesystem::remove_all(directory);
}

TEST_CASE("a record takes a free name and leaves every other file alone") {
  const auto directory = temporary("names");
  std::filesystem::create_directory(directory);
  const auto path = directory / "r.x.json";
  CHECK(write_record(path, 1).value() == path);
  std::filesystem::create_symlink("nowhere", directory / "r.x-2.json");
  CHECK(write_record(path, 3).value() == directory / "r.x-3.json");
  CHECK(write_record(path, 4).value() == directory / "r.x-4.json");
  CHECK(content(path) == "1\n");
  CHECK(content(directory / "r.x-3.json") == "3\n");
  CHECK(std::filesystem::is_symlink(directory / "r.x-2.json"));
  // A process of this number was killed while it wrote: what it left is in nobody's way.
  std::filesystem::rename(path, directory / ("new.json." + std::to_string(::getpid()) + ".0.part"));
  CHECK(write_record(directory / "new.json", 5).value() == directory / "new.json");
  CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 5);
  std::filesystem::remove_all(directory);
}

TEST_CASE("records that are written at once are all kept, each whole") {
  const auto directory = temporary("at-once");
  std::filesystem::create_directory(directory);
  constexpr int kWriters = 8;
  std::vector<std::jthread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      static_cast<void>(write_record(directory / "r.json", json(std::string(300'000, static_cast<char>('a' + i)))));
    });
  }
  writers.clear();
  std::set<std::string> contents;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string text = content(entry.path());
    CHECK(text.size() == 300'003);
    contents.insert(text);
  }
  CHECK(contents.size() == kWriters);
  std::filesystem::remove_all(directory);
}

TEST_CASE("what is no regular file is written to, not replaced") {
  const auto fifo = temporary("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = ::open(fifo.c_str(), O_RDWR);
  REQUIRE(write_record(fifo, json::array()));
  char text[8] = {};
  CHECK(::read(reader, text, sizeof text) == 3);
  struct stat status{};
  REQUIRE(::lstat(fifo.c_str(), &status) == 0);
  CHECK(S_ISFIFO(status.st_mode));
  ::close(reader);
  std::filesystem::remove(fifo);
}

TEST_CASE("a timeline adds up to what was verified and stays short") {
  Progress progress;
  progress.start_ns = 1'000;
  progress.bin_ns = 10;
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    progress.add(1'000 + i, 2);
  }
  const json timeline = timeline_json(progress, 1'000 + 30'000);
  CHECK(timeline.at("bytes").size() <= 256);
  std::uint64_t sum = 0;
  for (const json& bytes : timeline.at("bytes")) {
    sum += bytes.get<std::uint64_t>();
  }
  CHECK(sum == 60'000);
  CHECK(static_cast<double>(timeline.at("bytes").size()) * timeline.at("interval_s").get<double>() ==
        Approx(30e-6).epsilon(0.01));
}

TEST_CASE("long messages and errors cross the control socket unchanged") {
  auto ends = Control::make();
  REQUIRE(ends);
  Control other(std::move(ends->second));
  const json sent{{"text", std::string(150'000, 'x')}, {"empty", json::object()}};
  REQUIRE(ends->first.send(sent));
  const auto received = other.receive();
  REQUIRE(received);
  CHECK(*received == sent);
  const Error error{Fault::no_space, "the disk is full", "empty it", ENOSPC};
  const Error back = error_from_json(error_to_json(error));
  CHECK(back.fault == error.fault);
  CHECK(back.text() == error.text());
  CHECK(back.system == ENOSPC);
}

TEST_CASE("parameters and channel options survive the way to an agent") {
  workloads::Parameters parameters;
  parameters.size = 123;
  parameters.rate = 0.5;
  parameters.upload = true;
  parameters.sink = Incoming::Sink::file;
  CHECK(to_json(parameters_from_json(to_json(parameters))) == to_json(parameters));
  ChannelOptions options;
  options.wait = Wait::spin;
  options.timeout = std::chrono::milliseconds(250);
  options.settings["zerocopy.threshold"] = "1";
  CHECK(to_json(channel_from_json(to_json(options))) == to_json(options));
}

TEST_CASE("what was granted is what held at the end, with what it was before") {
  const auto facts = [](const std::string& packet, const std::string& gso = "yes") {
    return json{{"modes",
                 {{{"name", "packet"}, {"requested", "largest"}, {"granted", packet}},
                  {{"name", "gso"}, {"requested", "auto"}, {"granted", gso}}}}};
  };
  const auto before = [](const json& side, std::size_t mode) {
    return side.at("modes").at(mode).value("before", std::vector<std::string>{});
  };
  using Values = std::vector<std::string>;
  CHECK(since(facts("1472"), facts("1472")) == facts("1472"));
  const json found = since(facts("1200"), facts("1472"));
  CHECK(found.at("modes").at(0).at("granted") == "1472");
  CHECK(before(found, 0) == Values{"1200"});
  CHECK(before(found, 1).empty());

  json all = over_runs(nullptr, {{"sender", found}, {"receiver", facts("1472")}});
  CHECK(all.at("sender") == found);
  all = over_runs(all, {{"sender", since(facts("1472"), facts("1472", "no"))}, {"receiver", facts("1472")}});
  CHECK(before(all.at("sender"), 0) == Values{"1200"});
  CHECK(before(all.at("sender"), 1) == Values{"yes"});
  all = over_runs(all, {{"sender", since(facts("1400"), facts("1200", "no"))}, {"receiver", facts("1472")}});
  CHECK(before(all.at("sender"), 0) == Values{"1472", "1400"});
  CHECK(before(all.at("sender"), 1) == Values{"yes"});
  CHECK(all.at("sender").at("modes").at(0).at("granted") == "1200");
  CHECK(all.at("receiver") == facts("1472"));
}
