// SPDX-License-Identifier: BSD-2-Clause
#include "harness/experiment/one_run.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "harness/experiment/convert.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/requests.hpp"

namespace waggle::experiment {
namespace {

/// The order of things in a run, the same for every contestant.
class Run {
 public:
  Run(const Spec& spec, Site& site, const RunRequest& request, std::unique_ptr<Trial> trial)
      : spec_(spec), site_(site), request_(request), trial_(std::move(trial)) {}

  Result<RunDone> go() {
    WAGGLE_TRY(trial_->prepare());
    WAGGLE_TRY(prime_memory());
    WAGGLE_TRY(set_cache());
    RunDone done;
    WAGGLE_TRY(measure(done));
    WAGGLE_TRY(trial_->finish());
    return done;
  }

 private:
  /// Of the host's agent.
  template <typename Request>
  Result<typename Request::Answer> ask(const Request& request, std::chrono::nanoseconds most = Agent::kProbing) {
    return site_.host().ask(request, site_.interrupt(), {.most = most, .alive = {}});
  }

  /// Pages that the sink is going to take are in use once before the clock starts.
  Result<> prime_memory() {
    if (spec_.sink == Sink::discard) {
      return {};
    }
    WAGGLE_LET(workload, workloads::find_workload(spec_.workload));
    const std::uint64_t fills = workload->fills(spec_.parameters) * spec_.parameters.clients;
    WAGGLE_TRY(ask(Prime{.bytes = fills * 5 / 4}, std::chrono::minutes(10)));
    return {};
  }

  /// Right before the window: preparing has read the files, so a cold cache can only be had now.
  Result<> set_cache() {
    const bool warm = spec_.cache == Cache::warm;
    WAGGLE_LET(answer, ask(SetCache{.path = site_.source().string(), .warm = warm}, std::chrono::minutes(30)));
    WAGGLE_LET(granted, grant({"page cache", std::string(name(spec_.cache)), std::move(answer.state)},
                              spec_.channel.allow_fallback,
                              warm ? "use a smaller --size than memory or --cache=cold"
                                   : "use a file system whose pages can be dropped"));
    cache_ = std::move(granted);
    return {};
  }

  /// From now on the host's agent watches all processes.
  Result<> watch(const std::vector<Process>& processes) {
    Watch asked;
    for (const Process& process : processes) {
      asked.parties.push_back({.role = process.role, .process = process.pid});
    }
    WAGGLE_TRY(ask(asked));
    return {};
  }

  Result<> measure(RunDone& done) {
    const std::vector<Process> processes = trial_->processes();
    WAGGLE_TRY(ask(Look{.cpus = {spec_.server_cpu, spec_.client_cpu}}));
    // A party that polls uses CPU while others are asked, so what it used is asked for last and first, within what the
    // machine used. In a probed run its answers would be traced, so it is asked before and after; no figure of time
    // comes from one.
    const bool probed = request_.kind == RunKind::probed;
    if (probed) {
      WAGGLE_TRY(trial_->begin());
      WAGGLE_TRY(watch(processes));
    }
    WAGGLE_TRY(ask(BeginWindow{}));
    if (!probed) {
      WAGGLE_TRY(trial_->begin());
    }
    auto ran = trial_->run(request_.bin_ns);
    Result<> ended;
    if (ran && !probed) {
      ended = trial_->end();
    }
    auto host = ask(EndWindow{});
    WAGGLE_TRY(ran);
    WAGGLE_TRY(host);
    if (probed) {
      ended = trial_->end();
    }
    WAGGLE_TRY(ended);
    WAGGLE_LET(told, trial_->told());
    WAGGLE_LET(conditions, ask(Looked{}));
    record::Run& run = done.run;
    static_cast<record::Measured&>(run) = *std::move(ran);
    run.verified = true;
    run.cache = recorded(std::vector{cache_}).front();
    run.conditions = std::move(conditions);
    run.machine = host->machine;
    for (std::size_t i = 0; i < processes.size(); ++i) {
      run.parties.push_back({.role = processes[i].role,
                             .host = processes[i].host,
                             .cpu = processes[i].cpu,
                             .usage = std::move(told.at(i).usage)});
      done.facts.push_back(std::move(told.at(i).facts));
    }
    add_probes(run, *std::move(host));
    return {};
  }

  /// What the host's agent has seen of the parties.
  static void add_probes(record::Run& run, HostTold host) {
    for (const Watched& watched : host.watched) {
      if (record::Party* const party = record::find(run.parties, watched.role)) {
        party->usage.perf = watched.perf;
      }
    }
    if (const record::Party* const sender = record::find(run.parties, record::Role::sender); sender && host.trace) {
      const auto& counters = sender->usage.counters;
      const auto copied = counters.find("zerocopy_copied_bytes");
      host.trace->add_copied_zerocopy(copied == counters.end() ? 0 : copied->second);
    }
    run.trace = std::move(host.trace);
  }

  const Spec& spec_;
  Site& site_;
  const RunRequest& request_;
  std::unique_ptr<Trial> trial_;
  Mode cache_;
};

}  // namespace

Result<RunDone> run_once(const Spec& spec, Site& site, const Contestant& contestant, const RunRequest& request) {
  WAGGLE_LET(trial, contestant.start(site, request.progress));
  return Run(spec, site, request, std::move(trial)).go();
}

}  // namespace waggle::experiment
