// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "harness/experiment/agent_roles.hpp"
#include "harness/experiment/conditions.hpp"
#include "harness/experiment/convert.hpp"
#include "harness/experiment/perf_window.hpp"
#include "harness/experiment/recorded.hpp"
#include "harness/experiment/survey.hpp"
#include "harness/measure/environment.hpp"
#include "harness/measure/probe.hpp"
#include "harness/topology/network_namespace.hpp"
#include "harness/topology/page_cache.hpp"
#include "workloads/workload.hpp"

namespace waggle::experiment {
namespace {

using nlohmann::json;

/// Writes to so much memory and gives it back.
void touch(std::size_t length) {
  void* memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return;
  }
  ::madvise(memory, length, MADV_HUGEPAGE);  // so that a sink with huge pages finds whole ones
  ::madvise(memory, length, MADV_POPULATE_WRITE);
  ::munmap(memory, length);
}

/// Has the machine back `bytes` of its free memory: a hypervisor that takes back free pages makes the first write to
/// each of them slower than any copy (docs/measuring.md). At most half of what is free; failing costs only that: where
/// a limit of this process's group is lower, it is a child that the kernel kills, and before all others.
void prime(std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto half_free = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES)) * page / 2;
  const std::size_t length = std::min(bytes, half_free) / page * page;
  if (length == 0) {
    return;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        score < 0 || ::write(score, "1000", 4) != 4) {
      ::_exit(1);
    }
    touch(length);
    ::_exit(0);
  }
  while (child > 0 && ::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// What is measured of a host around the window of a run, and in it.
class HostProbes {
 public:
  Result<> look(int server_cpu, int client_cpu) {
    forget();
    server_cpu_ = server_cpu;
    client_cpu_ = client_cpu;
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
    if (!times_) {
      return fail(Fault::protocol, "no window was begun");
    }
    HostTold told{.machine = passed(*std::exchange(times_, std::nullopt), read_machine())};
    for (Watching& each : std::exchange(watching_, {})) {
      each.perf.end();
      each.party.perf = each.perf.counted();
      told.watched.push_back(each.party);
    }
    if (const auto tracer = std::exchange(tracer_, nullptr)) {
      WAGGLE_LET(seen, tracer->stop());
      told.trace = recorded(seen);
    }
    return told;
  }

  Result<record::Conditions> conditions() const {
    if (!before_) {
      return fail(Fault::protocol, "nobody has looked before");
    }
    WAGGLE_LET(after, look_around(server_cpu_, client_cpu_, SideOfRun::after));
    return conditions_of(*before_, after);
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
  std::optional<Moment> before_;
  std::optional<MachineTimes> times_;
  std::unique_ptr<measure::Tracer> tracer_;
  std::vector<Watching> watching_;
};

Result<> make_files(const MakeFiles& asked) {
  WAGGLE_LET(workload, workloads::find_workload(asked.workload));
  WAGGLE_LET(parameters, parameters_from_json(*workload, asked.parameters.members));
  return workload->make_files(parameters, asked.served, asked.local);
}

Result<SetCache::Answer> set_cache(const SetCache& asked) {
  WAGGLE_LET(now, asked.warm ? topology::warm(asked.path) : topology::chill(asked.path));
  return SetCache::Answer{now.state()};
}

Result<DescribeDevice::Answer> describe_device(const DescribeDevice& asked) {
  DescribeDevice::Answer told;
  WAGGLE_TRY(topology::inside_network(asked.network, [&]() -> Result<> {
    WAGGLE_LET(facts, measure::interface_facts(asked.device));
    told.facts.members = std::move(facts);
    return {};
  }));
  return told;
}

/// Whether probing works here at all.
Result<> try_probes() {
  const pid_t self = ::getpid();
  WAGGLE_LET(tracer, measure::Tracer::start({{record::Role::sender, self}, {record::Role::receiver, self}}));
  WAGGLE_TRY(tracer->stop());
  return {};
}

/// The CPUs between which the machine is looked at.
Result<std::pair<int, int>> two(const std::vector<int>& cpus) {
  return cpus.size() == 2 ? Result<std::pair<int, int>>(std::pair(cpus.front(), cpus.back()))
                          : fail(Fault::protocol, "the distance of two CPUs can be measured");
}

class HostAgent final : public AgentRole {
 public:
  Result<json> handle(const std::string& what, const json& request) override {
    if (what == MakeFiles::kDo) {
      return answer<MakeFiles>(request, make_files);
    }
    if (what == SetCache::kDo) {
      return answer<SetCache>(request, set_cache);
    }
    if (what == Prime::kDo) {
      return answer<Prime>(request, [](const Prime& asked) -> Result<> {
        prime(asked.bytes);
        return {};
      });
    }
    if (what == Survey::kDo) {
      return answer<Survey>(request, [&](const Survey& asked) -> Result<> {
        WAGGLE_LET(cpus, two(asked.cpus));
        survey_.emplace(cpus.first, cpus.second);
        return {};
      });
    }
    if (what == Surveyed::kDo) {
      return answer<Surveyed>(request, [&](const Surveyed& asked) -> Result<HostSurveyed> {
        return survey_ ? survey_->finish(asked.network) : fail(Fault::protocol, "no survey was begun");
      });
    }
    if (what == DescribeDevice::kDo) {
      return answer<DescribeDevice>(request, describe_device);
    }
    return probe(what, request);
  }

 private:
  Result<json> probe(const std::string& what, const json& request) {
    if (what == Look::kDo) {
      return answer<Look>(request, [&](const Look& asked) -> Result<> {
        WAGGLE_LET(cpus, two(asked.cpus));
        return probes_.look(cpus.first, cpus.second);
      });
    }
    if (what == TryProbes::kDo) {
      return answer<TryProbes>(request, [](const auto&) { return try_probes(); });
    }
    if (what == Watch::kDo) {
      return answer<Watch>(request, [&](const Watch& asked) { return probes_.watch(asked.parties); });
    }
    if (what == BeginWindow::kDo) {
      return answer<BeginWindow>(request, [&](const auto&) -> Result<> {
        probes_.begin();
        return {};
      });
    }
    if (what == EndWindow::kDo) {
      return answer<EndWindow>(request, [&](const auto&) { return probes_.end(); });
    }
    if (what == Looked::kDo) {
      return answer<Looked>(request, [&](const auto&) { return probes_.conditions(); });
    }
    return fail(Fault::protocol, "the agent of a host cannot '" + what + "'");
  }

  HostProbes probes_;
  std::optional<HostSurvey> survey_;
};

}  // namespace

Result<Started> start_host(const json&) {
  return Started{.role = std::make_unique<HostAgent>()};
}

}  // namespace waggle::experiment
