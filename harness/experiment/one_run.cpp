// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/one_run.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/experiment/answers.hpp"
#include "harness/experiment/conditions.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/machine.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/shared_progress.hpp"
#include "harness/measure/probe.hpp"
#include "harness/measure/software_events.hpp"
#include "harness/record/archive.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Longest silence of an agent without any verified byte. Longer than every timeout inside the agents, so that their
/// own errors, which say more, come first.
constexpr auto kSilence = std::chrono::seconds(45);

using End = topology::Link::End;

bool is_packet(const Pair& pair) {
  const auto datapath = find_datapath(pair.sender);
  return datapath && (*datapath)->carrier() == Carrier::packet;
}

/// The perf software events of one process in a probed run, as far as they may be had.
class PerfWindow {
 public:
  explicit PerfWindow(pid_t process) : events_(measure::SoftwareEvents::start(process)) {
    if (events_) {
      before_ = events_->read();
    }
  }
  void end() {
    if (events_) {
      after_ = events_->read();
    }
  }
  /// What happened in between; nothing unless both readings were there.
  std::optional<record::Perf> counted() const {
    if (!before_ || !after_) {
      return std::nullopt;
    }
    return record::Perf{.task_clock_s = static_cast<double>(after_->task_clock_ns - before_->task_clock_ns) / 1e9,
                        .context_switches = after_->context_switches - before_->context_switches,
                        .migrations = after_->migrations - before_->migrations,
                        .page_faults = after_->page_faults - before_->page_faults};
  }

 private:
  Result<measure::SoftwareEvents> events_;
  Result<measure::SoftwareCounts> before_ = fail(Fault::missing, "not read");
  Result<measure::SoftwareCounts> after_ = fail(Fault::missing, "not read");
};

/// The processes of one run and what they have answered.
class Run {
 public:
  Run(const Spec& spec, Site& site, const RunRequest& request, const workloads::Workload& workload,
      SharedProgress progress)
      : spec_(spec),
        site_(site),
        request_(request),
        link_(site.link(request.pair.link)),
        packet_(is_packet(request.pair)),
        server_sends_(workload.server_sends(spec.parameters)),
        fills_(workload.fills(spec.parameters)),
        progress_(std::move(progress)) {}

  Result<RunDone> go() {
    WAGGLE_TRY(set_napi());
    WAGGLE_TRY(start_server());
    WAGGLE_TRY(pin_napi(End::server));
    WAGGLE_TRY(start_client());
    WAGGLE_TRY(pin_napi(End::client));
    WAGGLE_TRY(blame_server(client_->call({{"do", "prepare"}}, site_.interrupt(), patience())));
    WAGGLE_TRY(prime_memory());
    WAGGLE_TRY(set_cache());
    WAGGLE_LET(window, measure());
    WAGGLE_TRY(blame_server(client_->call({{"do", "reset"}}, site_.interrupt(), patience())));
    WAGGLE_TRY(client_->quit(site_.interrupt()));
    WAGGLE_TRY(server_->quit(site_.interrupt()));
    RunDone done{.run = std::move(window), .facts = {}};
    for (const End end : {sender_end(), receiver_end()}) {
      done.facts.push_back(with_link(std::move(facts_.at(end)), end));
    }
    return done;
  }

 private:
  End sender_end() const { return server_sends_ ? End::server : End::client; }
  End receiver_end() const { return server_sends_ ? End::client : End::server; }
  int cpu_of(End end) const { return end == End::server ? spec_.server_cpu : spec_.client_cpu; }
  AgentProcess& agent(End end) { return end == End::server ? *server_ : *client_; }
  std::string served() const { return (server_sends_ ? site_.source() : site_.sink()).string(); }
  std::string local() const { return (server_sends_ ? site_.sink() : site_.source()).string(); }

  /// Over a byte stream both processes open the pair's sender, and which of them receives payload takes it with the
  /// pair's receiver. Over frames each opens its own datapath.
  const std::string& datapath_of(bool receives) const {
    return packet_ && receives ? request_.pair.receiver : request_.pair.sender;
  }

  json channel_of(End end) const {
    const bool receives = server_sends_ == (end == End::client);
    ChannelOptions options = spec_.channel;
    options.link = link_.kind();
    options.link_at = site_.link_at(link_.kind(), end == End::server);
    options.mtu = link_.device().empty() ? spec_.mtu : 0;
    return {{"datapath", datapath_of(receives)},
            {"receive_with", receives && !packet_ ? request_.pair.receiver : std::string()},
            {"channel", to_json(options)},
            {"address", link_.server_address()}};
  }

  /// Before anything runs: the receive work of both ends where their datapaths have it best, or where the user wants
  /// it. Every run sets it anew, so no pair runs with what another one left.
  Result<> set_napi() {
    for (const End end : {End::server, End::client}) {
      WAGGLE_LET(datapath, find_datapath(datapath_of(server_sends_ == (end == End::client))));
      const Napi wanted = spec_.napi == NapiChoice::automatic  ? datapath->napi(spec_.channel.wait)
                          : spec_.napi == NapiChoice::threaded ? Napi::threaded
                                                               : Napi::softirq;
      WAGGLE_LET(mode, link_.set_napi(end, link_.kind() == "veth" ? wanted : Napi::softirq));
      if (mode.granted != "none") {
        WAGGLE_TRY(accept(mode));
      }
      napi_[end] = {mode};
    }
    return {};
  }

  /// When an end's process runs, since an XDP program may only then have turned NAPI on.
  Result<> pin_napi(End end) {
    auto& modes = napi_.at(end);
    if (modes.front().granted == "none") {
      WAGGLE_LET(mode,
                 link_.set_napi(end, modes.front().requested == "threaded" ? Napi::threaded : Napi::softirq, true));
      if (mode.granted == "none" && mode.requested == "softirq") {
        mode.granted = "softirq";  // a veth without NAPI hands packets to the backlog of the CPU that sent them
      }
      modes.front() = std::move(mode);
      WAGGLE_TRY(accept(modes.front()));
    }
    if (modes.front().granted == "threaded") {
      WAGGLE_LET(mode, link_.pin_napi(end, end == End::server ? spec_.server_cpu : spec_.client_cpu));
      WAGGLE_TRY(accept(mode));
      modes.push_back(std::move(mode));
    }
    return {};
  }

  Result<> accept(const Mode& mode) const {
    if (mode.granted == mode.requested || spec_.channel.allow_fallback) {
      return {};
    }
    return fail(Fault::missing, fmt::format("{} is {} where {} was asked for", mode.name, mode.granted, mode.requested),
                "choose --napi=softirq, or allow what the kernel grants with --allow-fallback");
  }

  /// What the link did for an end, beside what its channel was granted.
  record::Facts with_link(record::Facts facts, End end) const {
    const auto add = [&](const std::vector<Mode>& modes) {
      const auto more = recorded(modes);
      facts.modes.insert(facts.modes.end(), more.begin(), more.end());
    };
    if (link_.kind() == "veth") {
      add(napi_.at(end));
    }
    add(changed_.at(end));
    return facts;
  }

  AgentProcess::Patience patience() {
    return {.most = kSilence + std::chrono::seconds(static_cast<std::int64_t>(spec_.parameters.seconds)),
            .alive =
                [this] {
                  const Progress& now = progress_.get();
                  const std::uint64_t seen = now.bytes.load(std::memory_order_relaxed);
                  if (request_.progress) {
                    request_.progress(seen);
                  }
                  return std::exchange(seen_, seen) != seen;
                },
            .useless = [this] { return server_->check(); }};
  }

  Result<> start_server() {
    WAGGLE_LET(server,
               AgentProcess::start({.name = "server", .network = link_.server().fd(), .cpu = spec_.server_cpu}));
    server_.emplace(std::move(server));
    json start = channel_of(End::server);
    start.update({{"do", "start"}, {"role", "server"}, {"served", served()}});
    WAGGLE_LET(answer, server_->call(start, site_.interrupt()));
    port_ = answer.at("port");
    return {};
  }

  Result<> start_client() {
    WAGGLE_LET(
        client,
        AgentProcess::start(
            {.name = "client", .network = link_.client().fd(), .cpu = spec_.client_cpu, .inherited = progress_.fd()}));
    client_.emplace(std::move(client));
    json start = channel_of(End::client);
    start.update({{"do", "start"},
                  {"role", "client"},
                  {"workload", spec_.workload},
                  {"parameters", to_json(spec_.parameters)},
                  {"digest", waggle::name(spec_.digest)},
                  {"local", local()},
                  {"port", port_},
                  {"progress_fd", progress_.fd()}});
    WAGGLE_TRY(blame_server(client_->call(start, site_.interrupt(), patience())));
    return {};
  }

  /// When the client fails because the server process died, that is the reason to tell.
  Result<json> blame_server(Result<json> answer) {
    if (!answer && answer.error().fault != Fault::cancelled) {
      WAGGLE_TRY(server_->check());
    }
    return answer;
  }

  /// Pages that the sink is going to take are in use once before the clock starts.
  Result<> prime_memory() {
    if (spec_.sink == Sink::discard) {
      return {};
    }
    const auto& parameters = spec_.parameters;
    WAGGLE_TRY(site_.files().call({{"do", "prime"}, {"bytes", fills_ * parameters.clients * 5 / 4}}, site_.interrupt(),
                                  {.most = std::chrono::minutes(10), .alive = {}}));
    return {};
  }

  /// Right before the window: preparing has read the files, so a cold cache can only be had now.
  Result<> set_cache() {
    const bool warm = spec_.cache == Cache::warm;
    WAGGLE_LET(answer, site_.files().call({{"do", warm ? "warm" : "chill"}, {"path", site_.source().string()}},
                                          site_.interrupt(), {.most = std::chrono::minutes(30), .alive = {}}));
    cache_ = {"page cache", std::string(name(spec_.cache)), answer.at("state")};
    if (cache_.granted != cache_.requested && !spec_.channel.allow_fallback) {
      return fail(Fault::missing,
                  fmt::format("the page cache is {} where {} was asked for", cache_.granted, cache_.requested),
                  warm ? "use a smaller --size than memory, or --cache=cold"
                       : "use a file system whose pages can be dropped, or --allow-fallback");
    }
    return {};
  }

  Result<std::unique_ptr<measure::Tracer>> start_tracer() {
    if (request_.kind != RunKind::probed) {
      return nullptr;
    }
    return measure::Tracer::start(
        {{record::Role::sender, agent(sender_end()).pid()}, {record::Role::receiver, agent(receiver_end()).pid()}});
  }

  Result<record::Run> measure() {
    WAGGLE_LET(moment, look_around(spec_.server_cpu, spec_.client_cpu, SideOfRun::before));
    WAGGLE_TRY(server_->call({{"do", "mark"}, {"end", false}}, site_.interrupt()));
    WAGGLE_LET(tracer, start_tracer());
    // Counters of perf are switched with the process, which a sleeping ping-pong of 50 us would feel.
    std::optional<PerfWindow> server_events;
    std::optional<PerfWindow> client_events;
    if (tracer) {
      server_events.emplace(server_->pid());
      client_events.emplace(client_->pid());
    }
    const auto before = read_machine();
    const auto ran =
        blame_server(client_->call({{"do", "run"}, {"bin_ns", request_.bin_ns}}, site_.interrupt(), patience()));
    const auto after = read_machine();
    if (tracer) {
      server_events->end();
      client_events->end();
    }
    WAGGLE_TRY(ran);
    std::optional<measure::Trace> trace;
    if (tracer) {
      // Before the server is asked: its answer would be traced as well.
      WAGGLE_LET(seen, tracer->stop());
      trace = std::move(seen);
    }
    WAGGLE_LET(marked, server_->call({{"do", "mark"}, {"end", true}}, site_.interrupt()));
    WAGGLE_LET(client, record::read<ClientTold>(*ran));
    WAGGLE_LET(server, record::read<Told>(marked));
    for (const End end : {End::server, End::client}) {
      // An XDP program that a datapath attaches takes offloads from a veth, at either end.
      WAGGLE_LET(changed, link_.changed(end));
      changed_[end] = std::move(changed);
    }
    if (trace) {
      server.usage.perf = server_events->counted();
      client.usage.perf = client_events->counted();
      const auto& counters = (server_sends_ ? server : client).usage.counters;
      const auto copied = counters.find("zerocopy_copied_bytes");
      trace->add_copied_zerocopy(copied == counters.end() ? 0 : copied->second);
    }
    facts_ = {{End::server, server.facts}, {End::client, client.facts}};
    WAGGLE_LET(later, look_around(spec_.server_cpu, spec_.client_cpu, SideOfRun::after));
    if (client.end_ns <= client.start_ns) {
      return fail(Fault::io, fmt::format("the workload {} did nothing in this run", spec_.workload),
                  "raise --count or --size");
    }
    record::Run run = run_of(client, progress_.get());
    run.cache = recorded(std::vector{cache_}).front();
    run.conditions = conditions_of(moment, later);
    run.machine = passed(before, after);
    run.parties = {party(record::Role::sender, sender_end(), server, client),
                   party(record::Role::receiver, receiver_end(), server, client)};
    if (trace) {
      run.trace = recorded(*trace);
    }
    return run;
  }

  record::Party party(record::Role role, End end, const Told& server, const Told& client) const {
    return {.role = role,
            .host = end == End::server ? "server" : "client",
            .cpu = cpu_of(end),
            .usage = (end == End::server ? server : client).usage};
  }

  const Spec& spec_;
  Site& site_;
  const RunRequest& request_;
  topology::Link& link_;
  bool packet_;
  bool server_sends_;
  std::uint64_t fills_;
  SharedProgress progress_;
  std::uint64_t seen_ = 0;
  std::uint16_t port_ = 0;
  Mode cache_;
  std::map<End, std::vector<Mode>> napi_;
  std::map<End, std::vector<Mode>> changed_;  // modes of the link that the run did not have as they were set up
  std::map<End, record::Facts> facts_;        // at the end of the window
  std::optional<AgentProcess> server_;
  std::optional<AgentProcess> client_;
};

}  // namespace

Result<RunDone> run_once(const Spec& spec, Site& site, const RunRequest& request) {
  WAGGLE_LET(workload, workloads::find_workload(spec.workload));
  WAGGLE_LET(progress, SharedProgress::create());
  return Run(spec, site, request, *workload, std::move(progress)).go();
}

}  // namespace waggle::experiment
