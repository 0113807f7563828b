// SPDX-License-Identifier: BSD-2-Clause
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <ctime>

#include "base/testing/require.hpp"
#include "base/unique_fd.hpp"
#include "harness/measure/call_table.hpp"
#include "harness/measure/programs.hpp"
#include "harness/measure/skeleton.hpp"

// Each program is loaded into the running kernel and run by BPF_PROG_TEST_RUN on crafted tracepoint arguments; the
// measured process is this one.

using namespace waggle;
using namespace waggle::measure;

namespace {

using Arguments = std::array<std::uint64_t, 5>;
constexpr std::uint64_t kAnyAddress = 8;  // not mapped: reading fails, and all fields are 0

template <typename S, typename Prepare>
Skeleton<S> load(pid_t sender, Prepare prepare) {
  auto skeleton = Skeleton<S>::open("under test");
  REQUIRE(skeleton);
  aim(*skeleton, {{record::Role::sender, sender}});
  prepare(*skeleton);
  if (const auto loaded = skeleton->load(); !loaded) {
    test::cannot_run(loaded.error());
  }
  return *std::move(skeleton);
}

template <typename S>
Skeleton<S> load(pid_t sender) {
  return load<S>(sender, [](auto&) {});
}

void run(const bpf_program* program, Arguments arguments) {
  bpf_test_run_opts options{.sz = sizeof(options)};
  options.ctx_in = arguments.data();
  options.ctx_size_in = sizeof(arguments);
  REQUIRE(bpf_prog_test_run_opts(bpf_program__fd(program), &options) == 0);
}

waggle_call_count total(const bpf_map* map, const waggle_call_key& key) {
  waggle_call_count sum{};
  for (const auto& count : per_cpu<waggle_call_count>(map, key)) {
    sum.calls += count.calls;
    sum.errors += count.errors;
    sum.bytes += count.bytes;
  }
  return sum;
}

/// Makes descriptor 0 a pipe for as long as it lives.
class PipeAsInput {
 public:
  PipeAsInput() : saved_(::dup(0)) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    ::dup2(ends[0], 0);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~PipeAsInput() { ::dup2(saved_.get(), 0); }
  PipeAsInput(const PipeAsInput&) = delete;
  PipeAsInput& operator=(const PipeAsInput&) = delete;

 private:
  UniqueFd saved_;
};

}  // namespace

TEST_CASE("system_calls: results become calls, bytes and errors of the measured process only") {
  const PipeAsInput input;
  const auto shaped = [](auto& programs) { std::ranges::copy(system_call_shapes(), programs->rodata->shapes); };
  const auto programs = load<system_calls_bpf>(::getpid(), shaped);
  // Registers that cannot be read: call number 0 on descriptor 0.
  const waggle_call_key key{.number = 0, .party = 0, .from = WAGGLE_PIPE, .to = WAGGLE_MEMORY, .flavour = 0};
  static_assert(SYS_read == 0, "choose another call for this architecture");
  run(programs->progs.count_call, {kAnyAddress, 1000});
  run(programs->progs.count_call, {kAnyAddress, 24});
  run(programs->progs.count_call, {kAnyAddress, static_cast<std::uint64_t>(-EINTR)});
  const auto counted = total(programs->maps.calls, key);
  CHECK(counted.calls == 3);
  CHECK(counted.errors == 1);
  CHECK(counted.bytes == 1024);

  const auto others = load<system_calls_bpf>(1, shaped);
  run(others->progs.count_call, {kAnyAddress, 1000});
  CHECK(total(others->maps.calls, key).calls == 0);
}

TEST_CASE("io_uring: both layouts of the tracepoint; notifications are no operations") {
  const waggle_call_key key{.number = WAGGLE_URING, .party = 0, .from = 0, .to = 0, .flavour = 0};
  const auto by_value = [](auto& programs) { programs->rodata->passes_entry = 0; };
  const auto old_kernel = load<io_uring_bpf>(::getpid(), by_value);
  run(old_kernel->progs.count_operation, {0, kAnyAddress, 0, static_cast<std::uint32_t>(-EIO), 0});
  run(old_kernel->progs.count_operation, {0, kAnyAddress, 0, 5, 8});  // IORING_CQE_F_NOTIF
  run(old_kernel->progs.count_operation, {0, 0, 0, 5, 0});            // no request: posted by the kernel itself
  CHECK(total(old_kernel->maps.operations, key).calls == 1);
  CHECK(total(old_kernel->maps.operations, key).errors == 1);

  const auto new_kernel = load<io_uring_bpf>(::getpid());
  run(new_kernel->progs.count_operation, {0, kAnyAddress, kAnyAddress, 0, 8});
  CHECK(total(new_kernel->maps.operations, key).calls == 1);
  CHECK(total(new_kernel->maps.operations, key).errors == 0);
}

TEST_CASE("sched: what the kernel calls voluntary, and time that is not idle") {
  const auto programs = load<sched_bpf>(::getpid());
  const auto switches = [&] {
    waggle_switches sum{};
    for (const auto& cpu : per_cpu<waggle_switches>(programs->maps.switches, std::uint32_t{0})) {
      sum.voluntary += cpu.voluntary;
      sum.involuntary += cpu.involuntary;
    }
    return sum;
  };
  run(programs->progs.on_switch, {0, 0, 0, 1});
  CHECK(switches().voluntary == 0);  // the window is not open yet
  REQUIRE(run_on_every_cpu(programs->progs.toggle));
  run(programs->progs.on_switch, {0, 0, 0, 1});  // sleeps
  run(programs->progs.on_switch, {0, 0, 0, 2});  // sleeps, uninterruptibly
  run(programs->progs.on_switch, {1, 0, 0, 1});  // preempted on its way to sleep
  run(programs->progs.on_switch, {0, 0, 0, 0});  // still runnable: yields
  CHECK(switches().voluntary == 2);
  CHECK(switches().involuntary == 2);
  REQUIRE(run_on_every_cpu(programs->progs.toggle));
  run(programs->progs.on_switch, {0, 0, 0, 1});
  CHECK(switches().voluntary == 2);
  std::uint64_t busy = 0;
  for (const auto& cpu : per_cpu<waggle_cpu>(programs->maps.cpus, std::uint32_t{0})) {
    busy += cpu.busy_ns;
  }
  CHECK(busy > 0);
}

TEST_CASE("network: copies, retransmissions and real drops") {
  const auto programs = load<network_bpf>(::getpid());
  run(programs->progs.on_socket_copy, {kAnyAddress, 4096});
  run(programs->progs.on_socket_copy, {kAnyAddress, 4});
  CHECK(sum(programs->maps.socket_copied, std::uint32_t{0}) == 4100);
  CHECK(sum(programs->maps.socket_copied, std::uint32_t{1}) == 0);
  run(programs->progs.on_retransmit, {0, 0, 0});
  CHECK(sum(programs->maps.retransmits, 0) == 1);
  std::uint32_t socket_full = 0;
  for (std::uint32_t reason = 0; reason < WAGGLE_DROP_REASONS; ++reason) {
    run(programs->progs.on_free, {kAnyAddress, 0, reason});
    socket_full = drop_reason_name(reason) == "SOCKET_RCVBUFF" ? reason : socket_full;
  }
  CHECK(sum(programs->maps.drops, 0) == 0);
  for (std::uint32_t reason = 1; reason < 4; ++reason) {
    const std::string name = drop_reason_name(reason);
    INFO(name);
    CHECK(sum(programs->maps.drops, reason) == (name == "SKB_CONSUMED" || name == "NOT_SPECIFIED" ? 0 : 1));
  }
  REQUIRE(socket_full != 0);
  CHECK(sum(programs->maps.drops, socket_full) == 1);
}

TEST_CASE("copies: the breakpoint program adds up a register at every event of the measured process") {
  // No breakpoints are needed to see the program count: a clock event calls it just the same.
  const auto programs = load<copies_bpf>(
      ::getpid(), [](auto& opened) { bpf_program__set_autoload(opened->progs.on_zerocopy_copied, false); });
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.sample_period = 100'000;
  UniqueFd event(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  REQUIRE(event);
  bpf_link* link = bpf_program__attach_perf_event(programs->progs.bytes_are_second, event.get());
  REQUIRE(link != nullptr);
  event.release();
  timespec used{};
  do {
    ::syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &used);
  } while (sum(programs->maps.copied, std::uint32_t{0}) == 0 && used.tv_sec < 2);
  bpf_link__destroy(link);
  CHECK(sum(programs->maps.copied, std::uint32_t{0}) > 0);
  CHECK(sum(programs->maps.copied, std::uint32_t{1}) == 0);
}
