// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/one_run.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/experiment/answers.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/ends.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/shared_progress.hpp"
#include "harness/record/archive.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Longest silence of an agent without any verified byte. Longer than every timeout inside the agents, so that their
/// own errors, which say more, come first.
constexpr auto kSilence = std::chrono::seconds(45);

using End = topology::Link::End;

/// The processes of one run and what they have answered.
class Run {
 public:
  Run(const Spec& spec, Site& site, const RunRequest& request, const workloads::Workload& workload, RunEnds ends,
      SharedProgress progress)
      : spec_(spec),
        site_(site),
        request_(request),
        link_(site.link(request.pair.link)),
        ends_(std::move(ends)),
        server_sends_(ends_.server.side == Side::sender),
        fills_(workload.fills(spec.parameters)),
        lasts_(std::chrono::seconds(static_cast<std::int64_t>(workload.lasts(spec.parameters)))),
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
  bool has_napi() const { return topology::link_kind(link_.kind()).queues; }
  End sender_end() const { return server_sends_ ? End::server : End::client; }
  End receiver_end() const { return server_sends_ ? End::client : End::server; }
  int cpu_of(End end) const { return end == End::server ? spec_.server_cpu : spec_.client_cpu; }
  AgentProcess& agent(End end) { return end == End::server ? *server_ : *client_; }
  std::string served() const { return (server_sends_ ? site_.source() : site_.sink()).string(); }
  std::string local() const { return (server_sends_ ? site_.sink() : site_.source()).string(); }

  const RunEnd& at(End end) const { return end == End::server ? ends_.server : ends_.client; }

  json channel_of(End end) const {
    const RunEnd& opened = at(end);
    return {{"datapath", opened.opens->name()},
            {"receive_with", opened.receive_with},
            {"channel", to_json(opened.channel(spec_, link_.kind(), site_.link_at(link_.kind(), opened.listens)))},
            {"address", link_.server_address()}};
  }

  /// Before anything runs: the receive work of both ends where their datapaths have it best, or where the user wants
  /// it. Every run sets it anew, so no pair runs with what another one left.
  Result<> set_napi() {
    for (const End end : {End::server, End::client}) {
      const Napi wanted = spec_.napi == NapiChoice::automatic  ? at(end).opens->napi(spec_.channel.wait)
                          : spec_.napi == NapiChoice::threaded ? Napi::threaded
                                                               : Napi::softirq;
      WAGGLE_LET(mode, link_.set_napi(end, has_napi() ? wanted : Napi::softirq));
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
    if (has_napi()) {
      add(napi_.at(end));
    }
    add(changed_.at(end));
    return facts;
  }

  AgentProcess::Patience patience() {
    return {.most = kSilence + lasts_,
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
    WAGGLE_TRY(site_.host().call({{"do", "prime"}, {"bytes", fills_ * parameters.clients * 5 / 4}}, site_.interrupt(),
                                 {.most = std::chrono::minutes(10), .alive = {}}));
    return {};
  }

  /// Right before the window: preparing has read the files, so a cold cache can only be had now.
  Result<> set_cache() {
    const bool warm = spec_.cache == Cache::warm;
    WAGGLE_LET(answer, site_.host().call({{"do", warm ? "warm" : "chill"}, {"path", site_.source().string()}},
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

  Result<json> ask_host(const json& request) {
    return site_.host().call(request, site_.interrupt(), {.most = AgentProcess::kProbing, .alive = {}});
  }

  /// In probed runs only: from now on the host's agent watches both processes.
  Result<> watch() {
    if (request_.kind != RunKind::probed) {
      return {};
    }
    const std::vector<Watched> parties{{.role = record::Role::sender, .process = agent(sender_end()).pid()},
                                       {.role = record::Role::receiver, .process = agent(receiver_end()).pid()}};
    WAGGLE_TRY(ask_host({{"do", "watch"}, {"parties", record::write(parties)}}));
    return {};
  }

  Result<record::Run> measure() {
    WAGGLE_TRY(ask_host({{"do", "look"}, {"cpus", {spec_.server_cpu, spec_.client_cpu}}}));
    WAGGLE_TRY(server_->call({{"do", "mark"}, {"end", false}}, site_.interrupt()));
    WAGGLE_TRY(watch());
    WAGGLE_TRY(ask_host({{"do", "begin"}}));
    const auto ran =
        blame_server(client_->call({{"do", "run"}, {"bin_ns", request_.bin_ns}}, site_.interrupt(), patience()));
    // Before the server is asked: its answer would be traced as well.
    auto ended = ask_host({{"do", "end"}});
    WAGGLE_TRY(ran);
    WAGGLE_TRY(ended);
    WAGGLE_LET(marked, server_->call({{"do", "mark"}, {"end", true}}, site_.interrupt()));
    WAGGLE_LET(client, record::read<ClientTold>(*ran));
    WAGGLE_LET(server, record::read<Told>(marked));
    WAGGLE_LET(host, record::read<HostTold>(*ended));
    for (const End end : {End::server, End::client}) {
      // An XDP program that a datapath attaches takes offloads from a veth, at either end.
      WAGGLE_LET(changed, link_.changed(end));
      changed_[end] = std::move(changed);
    }
    facts_ = {{End::server, server.facts}, {End::client, client.facts}};
    WAGGLE_LET(looked, ask_host({{"do", "looked"}}));
    WAGGLE_LET(conditions, record::read<record::Conditions>(looked));
    if (client.end_ns <= client.start_ns) {
      return fail(Fault::io, fmt::format("the workload {} did nothing in this run", spec_.workload),
                  "raise --count or --size");
    }
    record::Run run = run_of(client, progress_.get());
    run.cache = recorded(std::vector{cache_}).front();
    run.conditions = std::move(conditions);
    run.machine = host.machine;
    run.parties = {party(record::Role::sender, sender_end(), server, client),
                   party(record::Role::receiver, receiver_end(), server, client)};
    add_probes(run, std::move(host));
    return run;
  }

  /// What the host's agent has seen of the parties.
  static void add_probes(record::Run& run, HostTold host) {
    for (const Watched& watched : host.watched) {
      record::find(run.parties, watched.role)->usage.perf = watched.perf;
    }
    if (host.trace) {
      const auto& counters = record::find(run.parties, record::Role::sender)->usage.counters;
      const auto copied = counters.find("zerocopy_copied_bytes");
      host.trace->add_copied_zerocopy(copied == counters.end() ? 0 : copied->second);
    }
    run.trace = std::move(host.trace);
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
  RunEnds ends_;
  bool server_sends_;
  std::uint64_t fills_;
  std::chrono::seconds lasts_;
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
  WAGGLE_LET(ends, ends_of(request.pair, spec));
  WAGGLE_LET(progress, SharedProgress::create());
  return Run(spec, site, request, *workload, std::move(ends), std::move(progress)).go();
}

}  // namespace waggle::experiment
