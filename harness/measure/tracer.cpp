// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "base/clock.hpp"
#include "harness/measure/call_table.hpp"
#include "harness/measure/copies.hpp"
#include "harness/measure/counted.hpp"
#include "harness/measure/probe.hpp"
#include "harness/measure/programs.hpp"
#include "harness/measure/references.hpp"
#include "harness/measure/skeleton.hpp"
#include "harness/measure/unseen.hpp"

namespace waggle::measure {
namespace {

/// Adds the calls in a map of one of the counting programs to the party that made them.
void collect_calls(const bpf_map* map, std::vector<PartyTrace>& parties) {
  waggle_call_key key{};
  const waggle_call_key* previous = nullptr;
  while (bpf_map_get_next_key(bpf_map__fd(map), previous, &key) == 0) {
    CallCount call{.call = call_name(key.number, static_cast<waggle_flavour>(key.flavour)),
                   .from = std::string(kind_name(static_cast<waggle_kind>(key.from))),
                   .to = std::string(kind_name(static_cast<waggle_kind>(key.to)))};
    for (const auto& count : per_cpu<waggle_call_count>(map, key)) {
      call.calls += count.calls;
      call.errors += count.errors;
      call.bytes += count.bytes;
    }
    PartyTrace& party = parties.at(key.party);
    if (key.number < WAGGLE_URING) {
      party.system_calls += call.calls;
      party.mode_switches += 2 * call.calls;
    }
    party.calls.push_back(std::move(call));
    previous = &key;
  }
  for (PartyTrace& party : parties) {
    std::ranges::sort(party.calls, [](const CallCount& a, const CallCount& b) {
      return std::tie(b.calls, a.call, a.from, a.to) < std::tie(a.calls, b.call, b.from, b.to);
    });
  }
}

std::uint32_t network_namespace_of(pid_t process) {
  struct stat status{};
  const std::string path = fmt::format("/proc/{}/ns/net", process);
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint32_t>(status.st_ino) : 0;
}

template <std::size_t N>
void set_shapes(waggle_shape (&to)[N], const Shapes& from) {
  static_assert(N == WAGGLE_SHAPES);
  std::ranges::copy(from, std::begin(to));
}

class BpfTracer : public Tracer {
 public:
  static Result<std::unique_ptr<BpfTracer>> make(const std::vector<Party>& parties) {
    if (parties.size() > WAGGLE_PARTIES) {
      return fail(Fault::missing,
                  fmt::format("the probes tell {} parties apart, not {}", WAGGLE_PARTIES, parties.size()),
                  "probe fewer at a time");
    }
    WAGGLE_LET(calls, Skeleton<system_calls_bpf>::open("system_calls"));
    WAGGLE_LET(sched, Skeleton<sched_bpf>::open("sched"));
    WAGGLE_LET(network, Skeleton<network_bpf>::open("network"));
    std::unique_ptr<BpfTracer> tracer(new BpfTracer(std::move(calls), std::move(sched), std::move(network)));
    tracer->parties_ = parties;
    WAGGLE_TRY(tracer->load());
    WAGGLE_TRY(tracer->load_uring());
    if (auto counted = CopyCounter::start(parties); counted) {
      tracer->counted_ = *std::move(counted);
    } else {
      tracer->why_not_better_ = counted.error().text();
      // Where it cannot be tried, it is what kernels from 6.1 on do.
      tracer->references_ = try_references().value_or(References{});
    }
    for (const Party& party : parties) {
      tracer->unseen_.push_back(unseen_copies(party.process));
    }
    WAGGLE_TRY(tracer->attach());
    return tracer;
  }

  Result<Trace> stop() override {
    WAGGLE_TRY(close_window());
    Trace trace;
    trace.window_ns = window_ns_;
    trace.why_not_better = why_not_better_;
    for (const Party& party : parties_) {
      trace.parties.push_back({.role = party.role, .unseen = unseen_.at(trace.parties.size())});
    }
    collect_calls(calls_->maps.calls, trace.parties);
    if (uring_) {
      collect_calls((*uring_)->maps.operations, trace.parties);
    }
    collect_sched(trace);
    collect_network(trace);
    collect_copies(trace);
    return trace;
  }

 private:
  BpfTracer(Skeleton<system_calls_bpf> calls, Skeleton<sched_bpf> sched, Skeleton<network_bpf> network)
      : calls_(std::move(calls)), sched_(std::move(sched)), network_(std::move(network)) {}

  Result<> load() {
    aim(calls_, parties_);
    aim(sched_, parties_);
    aim(network_, parties_);
    set_shapes(calls_->rodata->shapes, system_call_shapes());
    for (std::size_t i = 0; i < parties_.size(); ++i) {
      network_->rodata->party_network[i] = network_namespace_of(parties_[i].process);
    }
    network_->rodata->drop_tells_socket = tracepoint_arguments("kfree_skb") >= 4 ? 1 : 0;
    WAGGLE_TRY(calls_.load());
    WAGGLE_TRY(sched_.load());
    return network_.load();
  }

  /// A kernel without io_uring has no operations to count.
  Result<> load_uring() {
    const int arguments = tracepoint_arguments("io_uring_complete");
    if (arguments < 0) {
      return {};
    }
    WAGGLE_LET(uring, Skeleton<io_uring_bpf>::open("io_uring"));
    aim(uring, parties_);
    set_shapes(uring->rodata->shapes, uring_shapes());
    uring->rodata->passes_entry = arguments == 3 ? 1 : 0;
    WAGGLE_TRY(uring.load());
    uring_ = std::move(uring);
    return {};
  }

  Result<> attach() {
    WAGGLE_TRY(calls_.attach());
    WAGGLE_TRY(sched_.attach());
    WAGGLE_TRY(network_.attach());
    if (uring_) {
      WAGGLE_TRY(uring_->attach());
    }
    started_ns_ = now_ns();
    return run_on_every_cpu(sched_->progs.toggle);
  }

  Result<> close_window() {
    if (std::exchange(stopped_, true)) {
      return {};
    }
    WAGGLE_TRY(run_on_every_cpu(sched_->progs.toggle));
    window_ns_ = now_ns() - started_ns_;
    calls_.detach();
    sched_.detach();
    network_.detach();
    if (uring_) {
      uring_->detach();
    }
    return {};
  }

  void collect_sched(Trace& trace) const {
    for (std::uint32_t party = 0; party < trace.parties.size(); ++party) {
      for (const auto& switches : per_cpu<waggle_switches>(sched_->maps.switches, party)) {
        trace.parties[party].voluntary_switches += switches.voluntary;
        trace.parties[party].involuntary_switches += switches.involuntary;
      }
    }
    for (const auto& cpu : per_cpu<waggle_cpu>(sched_->maps.cpus, std::uint32_t{0})) {
      trace.cpu_busy_ns += cpu.busy_ns;
      trace.softirq_ns += cpu.softirq_ns;
    }
  }

  void collect_network(Trace& trace) const {
    for (std::uint32_t party = 0; party < trace.parties.size(); ++party) {
      trace.parties[party].socket_copied_bytes = sum(network_->maps.socket_copied, party);
    }
    trace.tcp_retransmits = sum(network_->maps.retransmits, 0);
    for (std::uint32_t reason = 0; reason < WAGGLE_DROP_REASONS; ++reason) {
      if (const std::uint64_t dropped = sum(network_->maps.drops, reason); dropped != 0) {
        trace.packets_dropped += dropped;
        trace.drop_reasons[drop_reason_name(reason)] += dropped;
      }
    }
  }

  void collect_copies(Trace& trace) {
    const auto copied = counted_ ? counted_->stop() : std::array<std::uint64_t, WAGGLE_PARTIES>{};
    trace.grade = counted_ ? Grade::counted : Grade::traced;
    for (std::size_t i = 0; i < trace.parties.size(); ++i) {
      PartyTrace& party = trace.parties[i];
      // What a receiver reads of a file it reads to verify it; whatever else reads one does so to send it.
      const Side side = party.role == record::Role::receiver ? Side::receiver : Side::sender;
      const KernelCopies copies = derive_copies(party.calls, side, party.socket_copied_bytes, references_);
      party.kernel_copied_bytes = counted_ ? copied.at(i) : copies.total;
      party.verification_copied_bytes = copies.verification;
    }
  }

  std::vector<Party> parties_;
  Skeleton<system_calls_bpf> calls_;
  Skeleton<sched_bpf> sched_;
  Skeleton<network_bpf> network_;
  std::optional<Skeleton<io_uring_bpf>> uring_;
  std::unique_ptr<CopyCounter> counted_;
  std::string why_not_better_;
  References references_;
  std::vector<std::string> unseen_;
  std::uint64_t started_ns_ = 0;
  std::uint64_t window_ns_ = 0;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Tracer>> Tracer::start(const std::vector<Party>& parties) {
  return BpfTracer::make(parties);
}

std::map<Grade, Result<>> grades() {
  const Party self{record::Role::sender, ::getpid()};
  const auto outcome = [](const auto& started) {
    return started ? Result<>{} : Result<>(std::unexpected(started.error()));
  };
  std::map<Grade, Result<>> known;
  known[Grade::counted] = outcome(CopyCounter::start({self}));
  known[Grade::traced] = outcome(Tracer::start({self}));
  known[Grade::modelled] = Result<>{};
  return known;
}

}  // namespace waggle::measure
