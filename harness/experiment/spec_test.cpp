// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/spec.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "base/testing/must.hpp"
#include "datapaths/settings.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/cpus.hpp"
#include "harness/experiment/ends.hpp"
#include "harness/experiment/like.hpp"
#include "harness/experiment/spec_check.hpp"
#include "harness/experiment/suitability.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;
using test::must;

/// What settle() says of a Spec built by hand.
std::string refusal(Spec spec) {
  const auto done = settle(spec, said(spec));
  REQUIRE_FALSE(done);
  CHECK(done.error().text().find('\n') == std::string::npos);
  return done.error().text();
}

Spec with_workload(const std::string& workload) {
  return {.workload = workload};
}

/// The settings of a record.
Spec like(const json& recorded) {
  return must(spec_from_json(recorded));
}

/// Settles it, after `said` was said besides.
void settle_again(Spec& spec, const Said& said) {
  must(leave_behind(spec, said));
  must(settle(spec, said));
}

}  // namespace

TEST_CASE("a spec is read back from its JSON, whatever was said") {
  const int cpu = allowed_cpus().front();
  Spec spec;
  spec.pairs = {{"sendfile", "mmap"}, {"udp", "udp"}};
  spec.link = "veth";
  spec.napi = NapiChoice::threaded;
  spec.workload = "small-files";
  spec.parameters = {
      .clients = 3, .seed = 4, .sink = Incoming::Sink::file, .own = {{"direction", std::string("upload")}}};
  spec.sink = Sink::file;
  spec.cache = Cache::cold;
  spec.mtu = 1400;
  spec.queues = 2;
  spec.offloads = false;
  spec.cpus = fmt::format("{0},{0}", cpu);
  spec.placement = PlacementRule::report;
  spec.channel = {.congestion = "reno", .send_buffer = 1, .wait = Wait::spin, .settings = {{"mmap.window", "1MiB"}}};
  spec.channel.timeout = std::chrono::milliseconds(1500);
  spec.digest = DigestKind::sha256;
  spec.interval_target = 0.05;
  spec.budget_seconds = 0.5;
  spec.seed = 77;
  spec.work = "/tmp";
  must(settle(spec, said(spec)));
  const json written = to_json(spec);
  Spec again = must(spec_from_json(json::parse(written.dump())));
  CHECK(to_json(again) != written);  // CPUs are those of another machine until it is settled here
  must(settle(again, {}));
  CHECK(to_json(again) == written);
  CHECK(written.at("parameters").at("count") == 10'000);
}

TEST_CASE("parameters and channel options survive the way to an agent") {
  for (const auto* workload : workloads::workloads()) {
    workloads::Parameters parameters{.clients = 3, .seed = 5, .sink = Incoming::Sink::file};
    parameters.own = must(workloads::own_values(*workload, {}));
    CHECK(to_json(must(parameters_from_json(*workload, to_json(parameters)))) == to_json(parameters));
  }
  const auto* rr = must(workloads::find_workload("rr"));
  const json said = to_json(must(parameters_from_json(*rr, json{{"rate", 0.5}, {"request", "4KiB"}, {"clients", 3}})));
  CHECK(said == json{{"clients", 3},
                     {"seed", 1},
                     {"sink", "discard"},
                     {"request", 4096},
                     {"response", 64},
                     {"rate", 0.5},
                     {"seconds", 1.0}});
  CHECK(parameters_from_json(*rr, json{{"size", 1}}).error().what == "--size says nothing to the workload rr");
  ChannelOptions options;
  options.wait = Wait::spin;
  options.timeout = std::chrono::milliseconds(250);
  options.settings["zerocopy.threshold"] = "1";
  CHECK(to_json(must(channel_from_json(to_json(options)))) == to_json(options));
  CHECK(channel_from_json(json{{"wayt", "spin"}}).error().text() == "there is no option 'wayt'; did you mean wait?");
}

TEST_CASE("a spec that was built by hand is checked like one from a command line") {
  Spec spec = with_workload("rr");
  must(settle(spec, said(spec)));
  const auto once = to_json(spec);
  must(settle(spec, said(spec)));
  CHECK(to_json(spec) == once);
  CHECK(spec.parameters.own.at("request") == OptionValue(std::uint64_t{64}));

  CHECK(refusal(with_workload("nonsense")).starts_with("--workload: 'nonsense' is none of its values"));
  spec = with_workload("rr");
  spec.sink = Sink::file;
  CHECK(refusal(spec).starts_with("--sink says nothing to the workload rr; it takes --request"));
  spec = with_workload("rr");
  spec.parameters.own["size"] = std::uint64_t{1};
  CHECK(refusal(spec).starts_with("--size says nothing to the workload rr"));
  spec = with_workload("rand-read");
  spec.parameters.own["block"] = std::uint64_t{1 << 20};
  CHECK(refusal(spec) == "--block: 1MiB is out of bounds; give 1 to 64KiB");
  spec.parameters.own = {{"block", std::uint64_t{8192}}, {"size", std::uint64_t{4096}}};
  CHECK(refusal(spec).ends_with("choose --block <= --size"));
  CHECK(refusal({.workload = "upload", .sink = Sink::discard}).find("an upload cannot be discarded") == 0);
  CHECK(refusal({.sink = Sink::file, .tmpfs_huge = true}).find("--huge is a property of a tmpfs") == 0);
  CHECK(refusal({.pci = {"a", "b"}}).find("--pci says nothing to the link auto") == 0);
  CHECK(refusal({.queues = 0}) == "--queues: 0 is out of bounds; give 1 to 64");
  CHECK(refusal({.link = "loopback", .queues = 2}).find("--queues says nothing to the link loopback") == 0);
  CHECK(refusal({.middle = true}).ends_with("add --offloads=off"));
  CHECK(refusal({.loss = 0.01}).ends_with("add --middle"));
  CHECK(refusal({.offloads = false, .middle = true, .reorder = 0.0001}).starts_with("--reorder: 0.0001 is less"));
  CHECK(refusal({.link = "vhost", .offloads = false, .middle = true}).starts_with("--middle says nothing to the link"));
  CHECK(refusal({.mtu = 67}) == "--mtu: 67 is out of bounds; give 0, or 68 to 65535");
  CHECK(refusal({.cpus = "close"}).find("--cpus=close names no two CPUs") == 0);
  CHECK(refusal({.least_runs = 5, .most_runs = 3}).find("at least 5 runs and at most 3 cannot be") == 0);
  CHECK(refusal({.file = "/nonexistent"}).find("cannot open /nonexistent") == 0);
  CHECK(refusal({.work = "/nonexistent"}).find("--work: /nonexistent is not a directory") == 0);
}

TEST_CASE("a request-response run makes at least one request, each in one message") {
  const auto with = [](workloads::Parameters parameters) {
    return Spec{.workload = "rr", .parameters = std::move(parameters)};
  };
  CHECK(refusal(with({.own = {{"rate", 0.5}}})) ==
        "--rate=0.5 makes no request in --seconds=1; raise one of them, or leave out --rate for a closed loop");
  CHECK(refusal(with({.own = {{"rate", 1e10}}})).ends_with("choose --rate <= 1G"));
  CHECK(
      refusal(with({.own = {{"request", std::uint64_t{300'000}}}})).starts_with("--request: 300000 is out of bounds"));
  CHECK(refusal(with({.own = {{"response", std::uint64_t{300'000}}}})).starts_with("--response: 300000 is out of"));
  Spec most = with({.own = {{"request", std::uint64_t{262'132}}, {"response", std::uint64_t{262'136}}, {"rate", 1.0}}});
  must(settle(most, said(most)));
  CHECK(refusal({.workload = "rand-read", .parameters = {.own = {{"depth", std::uint64_t{0}}}}})
            .starts_with("--depth: 0 is out of bounds"));
}

TEST_CASE("what was said of the pilot holds, also where it is what others would get") {
  Spec spec{.pairs = {{"sendfile"}, {"mmap"}, {"splice"}, {"udp"}, {"uring"}}};
  for (Pair& pair : spec.pairs) {
    pair.receiver = default_receiver(pair.sender);
  }
  Spec usual = spec;
  must(settle(usual, said(usual)));
  CHECK(usual.least_runs == 0);
  CHECK(run_bounds(usual).least == 9);  // for the best of five
  CHECK(run_bounds(usual).most == 30);
  spec.least_runs = 6;
  for (int times = 0; times < 2; ++times) {
    must(settle(spec, said(spec)));
    CHECK(run_bounds(spec).least == 6);
  }
  spec.pairs.resize(1);
  spec.least_runs = 0;
  must(settle(spec, said(spec)));
  CHECK(run_bounds(spec).least == 6);
  spec.most_runs = 4;
  must(settle(spec, said(spec)));
  CHECK(run_bounds(spec).least == 4);
  spec = {.least_runs = 40};
  must(settle(spec, {"least_runs"}));
  CHECK(run_bounds(spec).least == 40);
  CHECK(run_bounds(spec).most == 40);
}

TEST_CASE("a record tells a number of runs that was said from one that follows") {
  Spec spec{.pairs = {{"sendfile", "read_write"}}};
  must(settle(spec, said(spec)));
  const json recorded = to_json(spec);
  CHECK(recorded.at("least_runs") == 0);
  Spec fewer = like(recorded);
  fewer.most_runs = 4;
  settle_again(fewer, {"most_runs"});
  CHECK(run_bounds(fewer).least == 4);
  Spec more = like(recorded);
  more.pairs = {{"sendfile", "read_write"}, {"mmap", "mmap"}, {"splice", "read_write"}, {"read_write", "read_write"}};
  settle_again(more, {});
  CHECK(run_bounds(more).least == 8);

  // What a record says holds, until what is said now leaves no room for it.
  json old = recorded;
  old["least_runs"] = 6;
  more = like(old);
  settle_again(more, {});
  CHECK(run_bounds(more).least == 6);
  fewer = like(old);
  fewer.most_runs = 4;
  settle_again(fewer, {"most_runs"});
  CHECK(run_bounds(fewer).least == 4);
  old["most_runs"] = 10;
  more = like(old);
  more.least_runs = 12;
  settle_again(more, {"least_runs"});
  CHECK(run_bounds(more).least == 12);
  more.most_runs = 10;
  CHECK_FALSE(settle(more, {"least_runs", "most_runs"}));
}

TEST_CASE("what a record says gives way to what is said now and contradicts it") {
  const auto recorded = [](Spec spec) { return like(to_json(spec)); };
  Spec spec = recorded({.file = "/etc/passwd"});
  spec.parameters.own["size"] = std::uint64_t{1 << 20};
  settle_again(spec, {"size"});
  CHECK_FALSE(spec.file);
  spec = recorded({.file = "/etc/passwd"});
  spec.parameters.own["size"] = std::uint64_t{1 << 20};
  must(leave_behind(spec, {"size", "file"}));
  CHECK(spec.file);
  CHECK_FALSE(settle(spec, {"size", "file"}));

  spec = recorded({.link = "nic", .pci = {"0000:01:00.0", "0000:02:00.0"}});
  spec.link = "veth";
  settle_again(spec, {"link"});
  CHECK(spec.pci.empty());
  spec = recorded({.link = "nic", .pci = {"0000:01:00.0", "0000:02:00.0"}});
  spec.queues = 2;
  settle_again(spec, {"queues"});
  CHECK(spec.link == "auto");
  CHECK(spec.pci.empty());

  const Spec bad{.link = "veth",
                 .napi = NapiChoice::threaded,
                 .queues = 2,
                 .offloads = false,
                 .middle = true,
                 .loss = 0.01,
                 .reorder = 0.01};
  spec = recorded(bad);
  spec.link = "vhost";
  settle_again(spec, {"link"});
  CHECK(to_json(spec).at("napi") == "auto");
  CHECK(spec.queues == 1);
  CHECK(spec.offloads);
  CHECK_FALSE(spec.middle);
  CHECK(spec.loss + spec.reorder == 0);
  spec = recorded(bad);
  spec.offloads = true;
  settle_again(spec, {"offloads"});
  CHECK_FALSE(spec.middle);
  CHECK(spec.loss + spec.reorder == 0);
  CHECK(spec.queues == 2);
  spec = recorded(bad);
  spec.link = "loopback";
  spec.queues = 3;
  must(leave_behind(spec, {"link", "queues"}));
  CHECK(settle(spec, {"link", "queues"}).error().what == "--queues says nothing to the link loopback");

  spec = recorded({.tmpfs_huge = true});
  spec.sink = Sink::file;
  settle_again(spec, {"sink"});
  CHECK_FALSE(spec.tmpfs_huge);
  spec = recorded({.sink = Sink::file});
  spec.tmpfs_huge = true;
  settle_again(spec, {"tmpfs_huge"});
  CHECK(spec.sink == Sink::tmpfs);
  spec = recorded({.sink = Sink::discard});
  must(change_workload(spec, "upload"));
  settle_again(spec, {"workload"});
  CHECK(spec.sink == Sink::tmpfs);
}

TEST_CASE("the size of a file of the user is that of no made one") {
  Spec spec{.file = "/etc/passwd"};
  must(settle(spec, said(spec)));
  spec = like(to_json(spec));
  must(change_workload(spec, "rand-read"));
  settle_again(spec, {"workload"});
  CHECK_FALSE(spec.file);
  const auto* rand_read = must(workloads::find_workload("rand-read"));
  CHECK(spec.parameters.own == must(workloads::own_values(*rand_read, {})));
}

TEST_CASE("settings are of datapaths that are used, and make sense") {
  Spec spec{.pairs = {{"sendfile", "read_write"}}};
  spec.channel.settings = {{"read_write.buffer", "64KiB"}};
  CHECK(check_settings_used(spec));
  spec.channel.settings = {{"read_write.buffer", "1"}};
  CHECK(check_settings_used(spec).error().text() == "read_write.buffer=1 makes no sense; give 4KiB to 16MiB");
  spec.channel.settings = {{"read_write.bufer", "64KiB"}};
  CHECK(check_settings_used(spec).error().text() ==
        "'read_write.bufer' is not an option of read_write; did you mean buffer?");
  spec.channel.settings = {{"mmap.window", "1MiB"}};
  CHECK(check_settings_used(spec).error().what == "mmap.window=1MiB says nothing here: mmap is not used");
}

TEST_CASE("over a stream both open the sender, over packets each its own") {
  const auto stream = must(ends_of({"sendfile", "mmap"}, true));
  CHECK(stream.server.opens->name() == "sendfile");
  CHECK(stream.client.opens->name() == "sendfile");
  CHECK(stream.server.receive_with.empty());
  CHECK(stream.client.receive_with == "mmap");
  CHECK(stream.client.moves->name() == "mmap");
  CHECK(&stream.of(Side::sender) == &stream.server);
  const auto upload = must(ends_of({"sendfile", "mmap"}, Spec{.workload = "upload"}));
  CHECK(upload.server.receive_with == "mmap");
  CHECK(upload.client.side == Side::sender);
  CHECK(upload.server.listens);
  const auto packet = must(ends_of({"udp", "simulated"}, false));
  CHECK(packet.client.opens->name() == "udp");
  CHECK(packet.server.opens->name() == "simulated");
  CHECK(packet.server.receive_with.empty());

  Spec spec{.mtu = 9000};
  spec.channel.wait = Wait::spin;
  const ChannelOptions over_veth = packet.server.channel(spec, "veth", "");
  CHECK(over_veth.mtu == 0);
  CHECK(over_veth.wait == Wait::spin);
  const ChannelOptions over_vhost = packet.server.channel(spec, "vhost", "/socket");
  CHECK(over_vhost.mtu == 9000);
  CHECK(over_vhost.link_at == "/socket");
}

TEST_CASE("no option has the name of another one") {
  std::set<std::string> taken;
  for (const auto* options :
       {&spec_options().infos(), &workloads::common_options().infos(), &channel_options().infos()}) {
    for (const OptionInfo& option : *options) {
      taken.insert(option.on_command_line());
    }
  }
  for (const auto* workload : workloads::workloads()) {
    std::set<std::string> own;
    for (const OptionInfo& option : workload->options()) {
      CAPTURE(workload->name(), option.name);
      CHECK_FALSE(taken.contains(option.on_command_line()));
      CHECK(own.insert(option.name).second);
      CHECK_FALSE(option.help.empty());
    }
    const auto size = workload->traits().file_size;
    CHECK((size.empty() || own.contains(std::string(size))));
  }
  for (const Datapath* datapath : datapaths()) {
    for (const OptionInfo& option : datapath->options()) {
      CAPTURE(datapath->name(), option.name);
      CHECK(option.type.parse(option.default_value));
    }
  }
}

}  // namespace waggle::experiment
