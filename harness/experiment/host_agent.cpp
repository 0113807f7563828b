// SPDX-License-Identifier: BSD-2-Clause
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "harness/experiment/agent_roles.hpp"
#include "harness/experiment/answers.hpp"
#include "harness/experiment/conditions.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/perf_window.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/measure/probe.hpp"
#include "harness/record/archive.hpp"
#include "harness/topology/page_cache.hpp"
#include "workloads/workload.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Has the machine back `bytes` of its free memory: a hypervisor that takes back free pages makes the first write to
/// each of them slower than any copy (docs/measuring.md). At most half of what is free; failing costs only that.
void prime(std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto half_free = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES)) * page / 2;
  const std::size_t length = std::min(bytes, half_free) / page * page;
  if (length == 0) {
    return;
  }
  void* memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return;
  }
  ::madvise(memory, length, MADV_HUGEPAGE);  // so that a sink with huge pages finds whole ones
  ::madvise(memory, length, MADV_POPULATE_WRITE);
  ::munmap(memory, length);
}

/// What is measured of a host around the window of a run, and in it.
class HostProbes {
 public:
  Result<> look(const json& cpus) {
    forget();
    server_cpu_ = cpus.at(0);
    client_cpu_ = cpus.at(1);
    WAGGLE_LET(moment, look_around(server_cpu_, client_cpu_, SideOfRun::before));
    before_ = std::move(moment);
    return {};
  }

  /// Probes that cost time: of probed runs only. Counters of perf are switched with the process, which a sleeping
  /// ping-pong of 50 us would feel.
  Result<> watch(const std::vector<Watched>& parties) {
    forget();
    std::vector<measure::Party> processes;
    for (const Watched& party : parties) {
      processes.push_back({.role = party.role, .process = party.process});
    }
    WAGGLE_LET(tracer, measure::Tracer::start(processes));
    tracer_ = std::move(tracer);
    for (const Watched& party : parties) {
      watching_.push_back({.party = party, .perf = PerfWindow(party.process)});
    }
    return {};
  }

  void begin() { times_ = read_machine(); }

  Result<HostTold> end() {
    HostTold told{.machine = passed(times_, read_machine())};
    for (Watching& each : std::exchange(watching_, {})) {
      each.perf.end();
      each.party.perf = each.perf.counted();
      told.watched.push_back(std::move(each.party));
    }
    if (const auto tracer = std::exchange(tracer_, nullptr)) {
      WAGGLE_LET(seen, tracer->stop());
      told.trace = recorded(seen);
    }
    return told;
  }

  Result<record::Conditions> conditions() const {
    WAGGLE_LET(after, look_around(server_cpu_, client_cpu_, SideOfRun::after));
    return conditions_of(before_, after);
  }

 private:
  /// A process and the counters that are read of it until end().
  struct Watching {
    Watched party;
    PerfWindow perf;
  };

  /// Probes of a run that was given up between watch() and end(): they are none of the next one's.
  void forget() {
    tracer_.reset();
    watching_.clear();
  }

  int server_cpu_ = 0;
  int client_cpu_ = 0;
  Moment before_;
  MachineTimes times_;
  std::unique_ptr<measure::Tracer> tracer_;
  std::vector<Watching> watching_;
};

class HostAgent final : public AgentRole {
 public:
  Result<json> handle(const std::string& what, const json& request) override {
    if (what == "make") {
      WAGGLE_LET(workload, workloads::find_workload(request.at("workload").get<std::string>()));
      WAGGLE_LET(parameters, parameters_from_json(*workload, request.at("parameters")));
      WAGGLE_TRY(workload->make_files(parameters, request.at("served").get<std::string>(),
                                      request.at("local").get<std::string>()));
      return json::object();
    }
    if (what == "warm" || what == "chill") {
      const std::filesystem::path path = request.at("path").get<std::string>();
      WAGGLE_LET(now, what == "warm" ? topology::warm(path) : topology::chill(path));
      return json{{"state", now.state()}};
    }
    if (what == "prime") {
      prime(request.at("bytes"));
      return json::object();
    }
    return probe(what, request);
  }

 private:
  Result<json> probe(const std::string& what, const json& request) {
    if (what == "look") {
      WAGGLE_TRY(probes_.look(request.at("cpus")));
      return json::object();
    }
    if (what == "try") {
      return try_probes();
    }
    if (what == "watch") {
      WAGGLE_LET(parties, record::read<std::vector<Watched>>(request.at("parties")));
      WAGGLE_TRY(probes_.watch(parties));
      return json::object();
    }
    if (what == "begin") {
      probes_.begin();
      return json::object();
    }
    if (what == "end") {
      WAGGLE_LET(told, probes_.end());
      return record::write(told);
    }
    if (what == "looked") {
      WAGGLE_LET(conditions, probes_.conditions());
      return record::write(conditions);
    }
    return fail(Fault::protocol, "the agent of a host cannot '" + what + "'");
  }

  /// Whether probing works here at all.
  static Result<json> try_probes() {
    const pid_t self = ::getpid();
    WAGGLE_LET(tracer, measure::Tracer::start({{record::Role::sender, self}, {record::Role::receiver, self}}));
    WAGGLE_TRY(tracer->stop());
    return json::object();
  }

  HostProbes probes_;
};

}  // namespace

Result<Started> start_host(const json&) {
  return Started{std::make_unique<HostAgent>(), std::make_unique<json>(json::object())};
}

}  // namespace waggle::experiment
