// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"
#include "harness/record/names.hpp"

/// Probes that cost time: BPF programs that are attached in probed repetitions only, never in timed ones.
namespace waggle::measure {

/// A measured process.
struct Party {
  record::Role role = record::Role::peer;
  pid_t process = 0;
};

/// Calls and bytes of one kind of system call; bytes is the sum of positive return values for calls that move data.
struct CallCount {
  /// "sendfile"; "sendto+zerocopy" for MSG_ZEROCOPY, "recvfrom+truncate" for MSG_TRUNC; "io_uring:read_fixed" for an
  /// operation of io_uring, which is no system call.
  std::string call;
  /// Kind of the source descriptor: "file", "direct" (a file opened with O_DIRECT), "socket", "udp", "xdp", "packet",
  /// "pipe", "memory", "other", or "" for a call that moves no data.
  std::string from;
  std::string to;  ///< kind of the destination descriptor, likewise
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t bytes = 0;
};

/// What probes saw of one party between start() and stop().
struct PartyTrace {
  record::Role role = record::Role::peer;
  std::vector<CallCount> calls;  ///< most frequent first
  std::uint64_t system_calls = 0;
  std::uint64_t mode_switches = 0;       ///< two per system call
  std::uint64_t voluntary_switches = 0;  ///< from sched_switch
  std::uint64_t involuntary_switches = 0;
  std::uint64_t socket_copied_bytes = 0;  ///< skb -> user memory, from the tracepoint skb_copy_datagram_iovec
  std::uint64_t kernel_copied_bytes = 0;  ///< all CPU copies of payload in the kernel, by the best grade
  /// The part of kernel_copied_bytes that only reads back what was received, to verify it: file -> memory of a
  /// receiver.
  std::uint64_t verification_copied_bytes = 0;
  /// What copied payload in the kernel where neither calls nor tracepoints tell how much (unseen_copies()); empty when
  /// nothing did. Otherwise the two figures above are too low.
  std::string unseen;
};

using record::Grade;

struct Trace {
  Grade grade = Grade::traced;
  std::string why_not_better;                         ///< why `counted` could not be had; empty when it was
  std::vector<PartyTrace> parties;                    ///< in the order in which start() was told of them
  std::uint64_t cpu_busy_ns = 0;                      ///< all CPUs, not idle, softirq included, exact (sched_switch)
  std::uint64_t tcp_retransmits = 0;                  ///< tracepoint tcp_retransmit_skb
  std::uint64_t packets_dropped = 0;                  ///< tracepoint kfree_skb with a drop reason
  std::map<std::string, std::uint64_t> drop_reasons;  ///< the same by the kernel's name of the reason
  std::uint64_t softirq_ns = 0;                       ///< all CPUs, in softirq handlers; part of cpu_busy_ns
  std::uint64_t window_ns = 0;                        ///< from start() to stop()

  /// The party of this role, which must be there.
  PartyTrace& of(record::Role role) { return *record::find(parties, role); }
  const PartyTrace& of(record::Role role) const { return *record::find(parties, role); }
};

/// Attached programs. Stopped and detached by stop() or by destruction; the kernel detaches them when the process dies.
class Tracer {
 public:
  /// Loads and attaches; Fault::missing with reason and remedy when the kernel or the rights do not allow any grade
  /// better than modelled, or when there are more parties than the programs tell apart (WAGGLE_PARTIES).
  static Result<std::unique_ptr<Tracer>> start(const std::vector<Party>& parties);
  virtual ~Tracer() = default;
  /// Detaches and tells what was seen.
  virtual Result<Trace> stop() = 0;
};

/// Which grades work here, for `harness doctor`: per grade nothing when it works, otherwise the reason and remedy.
std::map<Grade, Result<>> grades();

}  // namespace waggle::measure
