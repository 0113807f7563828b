// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "harness/record/figures.hpp"
#include "harness/record/names.hpp"

/// One measured repetition: what was done, who took part and what each used, and what the machine was like.
namespace waggle::record {

/// The kernel's perf software events of a process.
struct Perf {
  double task_clock_s = 0;
  std::uint64_t context_switches = 0;
  std::uint64_t migrations = 0;
  std::uint64_t page_faults = 0;
  static void fields(auto& m, auto& a) {
    a.member("task_clock_s", m.task_clock_s);
    a.member("context_switches", m.context_switches);
    a.member("migrations", m.migrations);
    a.member("page_faults", m.page_faults);
  }
};

/// What the processes of a party used in the measured window (peak memory: since their start).
struct Usage {
  double user_s = 0;
  double system_s = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t peak_memory_bytes = 0;
  std::uint64_t user_copied_bytes = 0;
  std::optional<Perf> perf;
  Counts counters;  ///< counts that only the datapath knows

  double cpu_s() const { return user_s + system_s; }
  static void fields(auto& m, auto& a) {
    a.member("user_s", m.user_s);
    a.member("system_s", m.system_s);
    a.member("voluntary_switches", m.voluntary_switches);
    a.member("involuntary_switches", m.involuntary_switches);
    a.member("minor_faults", m.minor_faults);
    a.member("major_faults", m.major_faults);
    a.member("peak_memory_bytes", m.peak_memory_bytes);
    a.member("user_copied_bytes", m.user_copied_bytes);
    a.optional("perf", m.perf);
    a.member("counters", m.counters);
  }
};

/// One that took part in a run.
struct Party {
  Role role = Role::peer;
  std::string host;  ///< the end of the link that it was at
  int cpu = 0;
  Usage usage;
  static void fields(auto& m, auto& a) {
    a.member("role", m.role);
    a.member("host", m.host);
    a.member("cpu", m.cpu);
    a.member("usage", m.usage);
  }
};

/// Calls of one kind (measure::CallCount).
struct Calls {
  std::string call;
  std::string from;
  std::string to;
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t bytes = 0;
  static void fields(auto& m, auto& a) {
    a.member("call", m.call);
    a.member("from", m.from);
    a.member("to", m.to);
    a.member("calls", m.calls);
    a.member("errors", m.errors);
    a.member("bytes", m.bytes);
  }
};

/// What the probes saw of one party.
struct PartyTrace {
  Role role = Role::peer;
  std::vector<Calls> calls;
  std::uint64_t system_calls = 0;
  std::uint64_t mode_switches = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t socket_copied_bytes = 0;
  std::uint64_t kernel_copied_bytes = 0;
  std::uint64_t verification_copied_bytes = 0;
  std::string unseen;
  static void fields(auto& m, auto& a) {
    a.member("role", m.role);
    a.member("calls", m.calls);
    a.member("system_calls", m.system_calls);
    a.member("mode_switches", m.mode_switches);
    a.member("voluntary_switches", m.voluntary_switches);
    a.member("involuntary_switches", m.involuntary_switches);
    a.member("socket_copied_bytes", m.socket_copied_bytes);
    a.member("kernel_copied_bytes", m.kernel_copied_bytes);
    a.member("verification_copied_bytes", m.verification_copied_bytes);
    a.member("unseen", m.unseen);
  }
};

/// What the probes saw in a probed run.
struct Trace {
  Grade grade = Grade::traced;
  std::string why_not_better;
  std::vector<PartyTrace> parties;
  double cpu_busy_s = 0;
  double softirq_s = 0;
  double window_s = 0;
  std::uint64_t tcp_retransmits = 0;
  std::uint64_t packets_dropped = 0;
  Counts drop_reasons;

  /// Of the sender's zero-copy sends the kernel has copied so many bytes after all. No tracepoint tells, the datapath's
  /// counter "zerocopy_copied_bytes" does; grade `counted` has them already.
  void add_copied_zerocopy(std::uint64_t bytes) {
    if (auto* const sender = find(parties, Role::sender); sender != nullptr && grade == Grade::traced) {
      sender->kernel_copied_bytes += bytes;
    }
  }
  static void fields(auto& m, auto& a) {
    a.member("grade", m.grade);
    a.member("why_not_better", m.why_not_better);
    a.member("parties", m.parties);
    a.member("cpu_busy_s", m.cpu_busy_s);
    a.member("softirq_s", m.softirq_s);
    a.member("window_s", m.window_s);
    a.member("tcp_retransmits", m.tcp_retransmits);
    a.member("packets_dropped", m.packets_dropped);
    a.member("drop_reasons", m.drop_reasons);
  }
};

struct Frequencies {
  Amounts before;  ///< MHz by CPU
  Amounts after;
  static void fields(auto& m, auto& a) {
    a.member("before", m.before);
    a.member("after", m.after);
  }
};

/// What the machine was like around a run.
struct Conditions {
  BeforeAfter placement_ns;
  bool moved = false;
  std::optional<std::size_t> group;  ///< timed runs: index in Placement::groups
  Calibrations calibration;
  double steal_share = 0;
  std::optional<double> throttled_s;
  Amounts pressure;  ///< by resource
  Frequencies frequency_mhz;
  static void fields(auto& m, auto& a) {
    a.member("placement_ns", m.placement_ns);
    a.member("moved", m.moved);
    a.optional("group", m.group);
    a.member("calibration", m.calibration);
    a.member("steal_share", m.steal_share);
    a.nullable("throttled_s", m.throttled_s);
    a.member("pressure", m.pressure);
    a.member("frequency_mhz", m.frequency_mhz);
  }
};

/// Payload bytes verified in each interval of a run.
struct Timeline {
  double interval_s = 0;
  std::vector<std::uint64_t> bytes;
  static void fields(auto& m, auto& a) {
    a.member("interval_s", m.interval_s);
    a.member("bytes", m.bytes);
  }
};

/// CPU seconds of all CPUs together while a run was on, by kind (proc(5), /proc/stat); softirq work is billed to no
/// process and shows only here.
struct Machine {
  double user_s = 0;
  double nice_s = 0;
  double system_s = 0;
  double idle_s = 0;
  double iowait_s = 0;
  double irq_s = 0;
  double softirq_s = 0;
  double steal_s = 0;
  double busy_s = 0;  ///< the sum of those in which a CPU worked for this machine
  static void fields(auto& m, auto& a) {
    a.member("user_s", m.user_s);
    a.member("nice_s", m.nice_s);
    a.member("system_s", m.system_s);
    a.member("idle_s", m.idle_s);
    a.member("iowait_s", m.iowait_s);
    a.member("irq_s", m.irq_s);
    a.member("softirq_s", m.softirq_s);
    a.member("steal_s", m.steal_s);
    a.member("busy_s", m.busy_s);
  }
};

/// Of a run that was verified. All rates follow from the time between the first request and the last verified byte.
struct Measured {
  Mode cache;
  double seconds = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t operations = 0;
  double goodput_bits_per_second = 0;
  double operations_per_second = 0;
  Latencies latency_ns;
  double verify_seconds = 0;
  Timeline timeline;
  std::vector<Party> parties;  ///< in the order of Contestant::parties, as in every list of parties
  Machine machine;
  std::optional<Trace> trace;

  /// CPU seconds of all parties.
  double cpu_s() const {
    double sum = 0;
    for (const Party& party : parties) {
      sum += party.usage.cpu_s();
    }
    return sum;
  }
  static void fields(auto& m, auto& a) {
    a.member("cache", m.cache);
    a.member("seconds", m.seconds);
    a.member("payload_bytes", m.payload_bytes);
    a.member("operations", m.operations);
    a.member("goodput_bits_per_second", m.goodput_bits_per_second);
    a.member("operations_per_second", m.operations_per_second);
    a.member("latency_ns", m.latency_ns);
    a.member("verify_seconds", m.verify_seconds);
    a.member("timeline", m.timeline);
    a.member("parties", m.parties);
    a.member("machine", m.machine);
    a.optional("trace", m.trace);
  }
};

struct Run : Measured {
  Kind kind = Kind::timed;
  std::uint64_t order = 0;             ///< among all runs of the experiment
  std::optional<std::uint64_t> round;  ///< contestants take turns in rounds
  Outcome status = Outcome::ok;
  bool verified = false;
  std::optional<std::string> reason;  ///< why it failed
  std::optional<Fault> fault;
  std::optional<Conditions> conditions;

  bool ok() const { return status == Outcome::ok; }
  static void fields(auto& m, auto& a) {
    a.member("kind", m.kind);
    a.member("order", m.order);
    a.optional("round", m.round);
    a.member("status", m.status);
    a.member("verified", m.verified);
    a.optional("reason", m.reason);
    a.optional("fault", m.fault);
    a.optional("conditions", m.conditions);
    if (a.when(m.ok())) {
      Measured::fields(m, a);
    }
  }
};

}  // namespace waggle::record
