// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/progress.hpp"
#include "harness/record/record.hpp"

/// What the agents of a run reply at the end of its window, in the record's terms (what they are asked: requests.hpp;
/// how that travels: agent.hpp).
namespace waggle::experiment {

/// Of either end.
struct Told {
  record::Usage usage;
  record::Facts facts;
  static void fields(auto& m, auto& a) {
    a.member("usage", m.usage);
    a.member("facts", m.facts);
  }
};

/// Of the client, which has the clock.
struct ClientTold : Told {
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t operations = 0;
  std::uint64_t verify_ns = 0;
  record::Latencies latency_ns;
  static void fields(auto& m, auto& a) {
    Told::fields(m, a);
    a.member("start_ns", m.start_ns);
    a.member("end_ns", m.end_ns);
    a.member("payload_bytes", m.payload_bytes);
    a.member("operations", m.operations);
    a.member("verify_ns", m.verify_ns);
    a.member("latency_ns", m.latency_ns);
  }
};

/// A measured process: whom a host's agent is to watch, and what it has counted.
struct Watched {
  record::Role role = record::Role::peer;
  int process = 0;
  std::optional<record::Perf> perf = {};
  static void fields(auto& m, auto& a) {
    a.member("role", m.role);
    a.member("process", m.process);
    a.optional("perf", m.perf);
  }
};

/// Of a host, about the window.
struct HostTold {
  record::Machine machine;
  std::vector<Watched> watched = {};        ///< in probed runs
  std::optional<record::Trace> trace = {};  ///< likewise
  static void fields(auto& m, auto& a) {
    a.member("machine", m.machine);
    a.optional("watched", m.watched);
    a.optional("trace", m.trace);
  }
};

/// Of a host, about an experiment.
struct HostSurveyed {
  record::Host host;                 ///< but its names
  record::BeforeAfter placement_ns;  ///< between the CPUs of the experiment
  double cpu_pressure = 0;           ///< share of the time of both calibrations in which somebody waited for a CPU
  static void fields(auto& m, auto& a) {
    a.member("host", m.host);
    a.member("placement_ns", m.placement_ns);
    a.member("cpu_pressure", m.cpu_pressure);
  }
};

/// The figures of a run that follow from what the client has told, which must have done something. `progress` has the
/// timeline.
record::Measured measured_of(const ClientTold& client, const Progress& progress);

}  // namespace waggle::experiment
