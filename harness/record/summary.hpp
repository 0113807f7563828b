// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/record/figures.hpp"
#include "harness/record/names.hpp"

/// What the runs of a contestant come to: for all parties together, and for each. Counts are medians per run.
namespace waggle::record {

/// Copied bytes per payload byte at one place of one party.
struct CopiesPlace {
  std::optional<double> measured;      ///< nothing when nothing counted them
  std::optional<double> verification;  ///< the part that reads back what was received, to verify it
  Grade grade = Grade::modelled;
  double modelled = 0;
  std::string because;
  static void fields(auto& m, auto& a) {
    a.nullable("measured", m.measured);
    a.nullable("verification", m.verification);
    a.member("grade", m.grade);
    a.member("modelled", m.modelled);
    a.member("because", m.because);
  }
};

struct Copies {
  CopiesPlace kernel;
  CopiesPlace user;
  const CopiesPlace& at(Place place) const { return place == Place::kernel ? kernel : user; }
  static void fields(auto& m, auto& a) {
    a.member("kernel", m.kernel);
    a.member("user", m.user);
  }
};

/// Over parties and places, CPU copies only.
struct AllCopies {
  std::optional<double> measured;
  Grade grade = Grade::modelled;
  double modelled = 0;
  static void fields(auto& m, auto& a) {
    a.nullable("measured", m.measured);
    a.member("grade", m.grade);
    a.member("modelled", m.modelled);
  }
};

/// Where measured and modelled copies differ.
struct Disagreement {
  Role role = Role::peer;
  Place place = Place::kernel;
  double measured = 0;
  double modelled = 0;
  double difference = 0;  ///< as a share of the model, or absolute when that is zero
  static void fields(auto& m, auto& a) {
    a.member("role", m.role);
    a.member("place", m.place);
    a.member("measured", m.measured);
    a.member("modelled", m.modelled);
    a.member("difference", m.difference);
  }
};

/// CPU time at equal work: of all parties, and of all CPUs, softirq included.
struct Cost {
  Interval processes;
  Interval machine;
  static void fields(auto& m, auto& a) {
    a.member("processes", m.processes);
    a.member("machine", m.machine);
  }
};

struct Switches {
  double voluntary = 0;
  double involuntary = 0;
  static void fields(auto& m, auto& a) {
    a.member("voluntary", m.voluntary);
    a.member("involuntary", m.involuntary);
  }
};

struct Faults {
  double minor = 0;
  double major = 0;
  static void fields(auto& m, auto& a) {
    a.member("minor", m.minor);
    a.member("major", m.major);
  }
};

struct PartySummary {
  Role role = Role::peer;
  std::optional<Interval> cpu_seconds_per_gib;             ///< its part of the summary's figure of that name
  std::optional<Interval> cpu_microseconds_per_operation;  ///< likewise
  Interval cpu_share;                                      ///< likewise
  Copies copies;
  std::optional<double> system_calls;   ///< from probed runs, nothing without
  std::optional<double> mode_switches;  ///< likewise
  Switches context_switches;
  Faults page_faults;
  double peak_memory_bytes = 0;  ///< highest of all timed runs
  Amounts counters;              ///< counts that only the datapath knows
  static void fields(auto& m, auto& a) {
    a.member("role", m.role);
    a.nullable("cpu_seconds_per_gib", m.cpu_seconds_per_gib);
    a.nullable("cpu_microseconds_per_operation", m.cpu_microseconds_per_operation);
    a.member("cpu_share", m.cpu_share);
    a.member("copies", m.copies);
    a.nullable("system_calls", m.system_calls);
    a.nullable("mode_switches", m.mode_switches);
    a.member("context_switches", m.context_switches);
    a.member("page_faults", m.page_faults);
    a.member("peak_memory_bytes", m.peak_memory_bytes);
    a.member("counters", m.counters);
  }
};

/// What probing did to the runs that it watched.
struct ProbeCost {
  double timed_seconds = 0;
  double probed_seconds = 0;
  double slowdown = 0;
  static void fields(auto& m, auto& a) {
    a.member("timed_seconds", m.timed_seconds);
    a.member("probed_seconds", m.probed_seconds);
    a.member("slowdown", m.slowdown);
  }
};

struct Summary {
  Stop stopped = Stop::most_runs;
  std::optional<Ratio> ratio;
  Interval goodput_bits_per_second;
  Interval operations_per_second;
  std::optional<Cost> cpu_seconds_per_gib;             ///< nothing when no payload is moved
  std::optional<Cost> cpu_microseconds_per_operation;  ///< likewise of operations
  Cost cpu_share;                                      ///< CPU time divided by the length of the run
  AllCopies copies;
  std::vector<Disagreement> disagreements;
  Latencies latency_ns;
  double verify_share = 0;
  std::optional<double> tcp_retransmits;  ///< from probed runs, nothing without
  std::optional<double> packets_dropped;  ///< likewise
  std::optional<ProbeCost> probe_cost;    ///< likewise
  std::vector<PartySummary> parties;
  static void fields(auto& m, auto& a) {
    a.member("stopped", m.stopped);
    a.nullable("ratio", m.ratio);
    a.member("goodput_bits_per_second", m.goodput_bits_per_second);
    a.member("operations_per_second", m.operations_per_second);
    a.nullable("cpu_seconds_per_gib", m.cpu_seconds_per_gib);
    a.nullable("cpu_microseconds_per_operation", m.cpu_microseconds_per_operation);
    a.member("cpu_share", m.cpu_share);
    a.member("copies", m.copies);
    a.member("disagreements", m.disagreements);
    a.member("latency_ns", m.latency_ns);
    a.member("verify_share", m.verify_share);
    a.nullable("tcp_retransmits", m.tcp_retransmits);
    a.nullable("packets_dropped", m.packets_dropped);
    a.nullable("probe_cost", m.probe_cost);
    a.member("parties", m.parties);
  }
};

/// The summary of runs in another group of placements.
struct Elsewhere {
  std::size_t group = 0;
  Summary summary;
  static void fields(auto& m, auto& a) {
    a.member("group", m.group);
    a.member("summary", m.summary);
  }
};

}  // namespace waggle::record
