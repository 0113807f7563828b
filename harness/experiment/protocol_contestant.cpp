// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/protocol_contestant.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "harness/experiment/agent_process.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/requests.hpp"
#include "harness/experiment/shared_progress.hpp"
#include "harness/topology/link_kind.hpp"

namespace waggle::experiment {
namespace {

/// Longest silence of an agent without any verified byte. Longer than every timeout inside the agents, so that their
/// own errors, which say more, come first.
constexpr auto kSilence = std::chrono::seconds(45);

using End = topology::Link::End;
using Heard = std::function<void(std::uint64_t)>;

/// A server and a client, and what they have answered.
class ProtocolTrial final : public Trial {
 public:
  ProtocolTrial(const Spec& spec, Site& site, topology::Link& link, const workloads::Workload& workload,
                const RunEnds& ends, SharedProgress progress, Heard heard)
      : spec_(spec),
        site_(site),
        link_(link),
        ends_(ends),
        server_sends_(ends.server.side == Side::sender),
        lasts_(std::chrono::seconds(static_cast<std::int64_t>(workload.lasts(spec.parameters)))),
        progress_(std::move(progress)),
        heard_(std::move(heard)) {}

  Result<> start() {
    WAGGLE_TRY(set_napi());
    WAGGLE_TRY(start_server());
    WAGGLE_TRY(pin_napi(End::server));
    WAGGLE_TRY(start_client());
    return pin_napi(End::client);
  }

  Result<> prepare() override { return done(ask_client(Prepare{})); }

  std::vector<Process> processes() const override {
    return {process(record::Role::sender, sender_end()), process(record::Role::receiver, receiver_end())};
  }

  Result<> begin() override { return done(server_->ask(BeginServing{}, site_.interrupt())); }

  Result<record::Measured> run(std::uint64_t bin_ns) override {
    WAGGLE_LET(client, ask_client(RunWorkload{.bin_ns = bin_ns}));
    if (client.end_ns <= client.start_ns) {
      return fail(Fault::io, fmt::format("the workload {} did nothing in this run", spec_.workload),
                  "raise --count or --size");
    }
    auto measured = measured_of(client, progress_.get());
    told_[End::client] = static_cast<Told&&>(client);
    return measured;
  }

  Result<> end() override {
    WAGGLE_LET(server, server_->ask(EndServing{}, site_.interrupt()));
    told_[End::server] = std::move(server);
    return {};
  }

  Result<std::vector<Told>> told() override {
    std::vector<Told> all;
    for (const End end : {sender_end(), receiver_end()}) {
      // An XDP program that a datapath attaches takes offloads from a veth, at either end.
      WAGGLE_LET(changed, link_.changed(end));
      Told told = std::move(told_.at(end));
      add_modes(told.facts, end, changed);
      all.push_back(std::move(told));
    }
    return all;
  }

  Result<> finish() override {
    WAGGLE_TRY(ask_client(Reset{}));
    WAGGLE_TRY(client_->quit(site_.interrupt()));
    return server_->quit(site_.interrupt());
  }

 private:
  /// Forgets an answer in which nothing stands.
  static Result<> done(const Result<Done>& answer) {
    WAGGLE_TRY(answer);
    return {};
  }

  bool has_napi() const { return topology::link_kind(link_.kind()).queues; }
  End sender_end() const { return server_sends_ ? End::server : End::client; }
  End receiver_end() const { return server_sends_ ? End::client : End::server; }
  int cpu_of(End end) const { return end == End::server ? spec_.server_cpu : spec_.client_cpu; }
  std::string served() const { return (server_sends_ ? site_.source() : site_.sink()).string(); }
  std::string local() const { return (server_sends_ ? site_.sink() : site_.source()).string(); }
  const RunEnd& at(End end) const { return end == End::server ? ends_.server : ends_.client; }

  Process process(record::Role role, End end) const {
    return {.role = role,
            .host = end == End::server ? "server" : "client",
            .cpu = cpu_of(end),
            .pid = (end == End::server ? *server_ : *client_).pid()};
  }

  Opening opening(End end) const {
    const RunEnd& opened = at(end);
    return {.datapath = std::string(opened.opens->name()),
            .receive_with = opened.receive_with,
            .channel = {to_json(opened.channel(spec_, link_.kind(), site_.link_at(link_.kind(), opened.listens)))},
            .address = link_.server_address()};
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
    WAGGLE_TRY(grant(mode, spec_.channel.allow_fallback, "choose --napi=softirq"));
    return {};
  }

  /// What the link did for an end, beside what its channel was granted, and what it did not keep.
  void add_modes(record::Facts& facts, End end, const std::vector<Mode>& changed) const {
    const auto add = [&](const std::vector<Mode>& modes) {
      const auto more = recorded(modes);
      facts.modes.insert(facts.modes.end(), more.begin(), more.end());
    };
    if (has_napi()) {
      add(napi_.at(end));
    }
    add(changed);
  }

  /// What a client that works hears of it.
  Patience patience() {
    return {.most = kSilence + lasts_,
            .alive =
                [this] {
                  const std::uint64_t seen = progress_.get().bytes.load(std::memory_order_relaxed);
                  if (heard_) {
                    heard_(seen);
                  }
                  return std::exchange(seen_, seen) != seen;
                },
            .useless = [this] { return server_->check(); }};
  }

  /// When the client fails because the server process died, that is the reason to tell.
  template <typename Request>
  Result<typename Request::Answer> ask_client(const Request& request) {
    auto answer = client_->ask(request, site_.interrupt(), patience());
    if (!answer && answer.error().fault != Fault::cancelled) {
      WAGGLE_TRY(server_->check());
    }
    return answer;
  }

  Result<> start_server() {
    WAGGLE_LET(server,
               AgentProcess::start({.name = "server", .network = link_.server().fd(), .cpu = spec_.server_cpu}));
    server_.emplace(std::move(server));
    StartServer start{opening(End::server), served()};
    WAGGLE_LET(answer, server_->ask(start, site_.interrupt()));
    port_ = answer.port;
    return {};
  }

  Result<> start_client() {
    WAGGLE_LET(
        client,
        AgentProcess::start(
            {.name = "client", .network = link_.client().fd(), .cpu = spec_.client_cpu, .inherited = progress_.fd()}));
    client_.emplace(std::move(client));
    StartClient start{opening(End::client)};
    start.port = port_;
    start.workload = spec_.workload;
    start.parameters.members = to_json(spec_.parameters);
    start.digest = waggle::name(spec_.digest);
    start.local = local();
    start.progress_fd = progress_.fd();
    return done(ask_client(start));
  }

  const Spec& spec_;
  Site& site_;
  topology::Link& link_;
  const RunEnds& ends_;
  bool server_sends_;
  std::chrono::seconds lasts_;
  SharedProgress progress_;
  Heard heard_;
  std::uint64_t seen_ = 0;
  std::uint16_t port_ = 0;
  std::map<End, std::vector<Mode>> napi_;
  std::map<End, Told> told_;  // at the end of the window
  std::optional<AgentProcess> server_;
  std::optional<AgentProcess> client_;
};

class ProtocolContestant final : public Contestant {
 public:
  ProtocolContestant(const Spec& spec, std::string link, RunEnds ends)
      : spec_(spec), link_(std::move(link)), ends_(std::move(ends)) {}

  std::uint64_t hugepage_bytes() const override {
    const auto of = [&](const RunEnd& end) {
      return end.opens->hugepage_bytes(end.listens, end.channel(spec_, link_, ""));
    };
    return of(ends_.server) + of(ends_.client);
  }

  Result<std::unique_ptr<Trial>> start(Site& site, std::function<void(std::uint64_t)> progress) const override {
    WAGGLE_LET(workload, workloads::find_workload(spec_.workload));
    WAGGLE_LET(shared, SharedProgress::create());
    auto trial = std::make_unique<ProtocolTrial>(spec_, site, site.link(link_), *workload, ends_, std::move(shared),
                                                 std::move(progress));
    WAGGLE_TRY(trial->start());
    return trial;
  }

 private:
  const Spec& spec_;
  std::string link_;
  RunEnds ends_;
};

}  // namespace

std::unique_ptr<const Contestant> protocol_contestant(const Spec& spec, const Pair& pair, RunEnds ends) {
  return std::make_unique<ProtocolContestant>(spec, pair.link, std::move(ends));
}

}  // namespace waggle::experiment
