// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Context switches per party, and for every CPU the time that it did not idle: a process's own CPU time leaves out
 * softirq work, /proc/stat has a resolution of 10 ms. */

#include "kernel.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WAGGLE_PARTIES);
  __type(key, __u32);
  __type(value, struct waggle_switches);
} switches SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct waggle_cpu);
} cpus SEC(".maps");

static __always_inline struct waggle_cpu *this_cpu(void)
{
  __u32 zero = 0;
  return bpf_map_lookup_elem(&cpus, &zero);
}

static __always_inline bool idle(void)
{
  return (__u32)bpf_get_current_pid_tgid() == 0;
}

static __always_inline void account(struct waggle_cpu *cpu, __u64 now)
{
  if (!idle()) {
    cpu->busy_ns += now - cpu->since;
  }
  cpu->since = now;
}

/* Never attached: the harness runs it on every CPU to open the window and to close it, so that a CPU on which nothing
 * is ever switched (a poller's) is accounted for exactly, too. */
SEC("raw_tp")
int toggle(void *ctx)
{
  struct waggle_cpu *cpu = this_cpu();
  if (!cpu) {
    return 0;
  }
  __u64 now = bpf_ktime_get_ns();
  if (cpu->open) {
    account(cpu, now);
    cpu->open = 0;
  } else {
    cpu->since = now;
    cpu->softirq_since = 0;
    cpu->open = 1;
  }
  return 0;
}

/* (bool preempt, struct task_struct *previous, struct task_struct *next, unsigned int previous_state): the current
 * task is still the previous one. Voluntary as the kernel has it in /proc/PID/status: not preempted and not runnable. */
SEC("raw_tp/sched_switch")
int on_switch(struct bpf_raw_tracepoint_args *ctx)
{
  struct waggle_cpu *cpu = this_cpu();
  if (!cpu || !cpu->open) {
    return 0;
  }
  account(cpu, bpf_ktime_get_ns());
  int party = party_of_current();
  if (party < 0) {
    return 0;
  }
  __u32 key = party;
  struct waggle_switches *entry = bpf_map_lookup_elem(&switches, &key);
  if (!entry) {
    return 0;
  }
  if (!(ctx->args[0] & 1) && (__u32)ctx->args[3]) {
    entry->voluntary++;
  } else {
    entry->involuntary++;
  }
  return 0;
}

SEC("raw_tp/softirq_entry")
int on_softirq_entry(void *ctx)
{
  struct waggle_cpu *cpu = this_cpu();
  if (cpu && cpu->open) {
    cpu->softirq_since = bpf_ktime_get_ns();
  }
  return 0;
}

SEC("raw_tp/softirq_exit")
int on_softirq_exit(void *ctx)
{
  struct waggle_cpu *cpu = this_cpu();
  if (!cpu || !cpu->open || !cpu->softirq_since) {
    return 0;
  }
  __u64 spent = bpf_ktime_get_ns() - cpu->softirq_since;
  cpu->softirq_since = 0;
  cpu->softirq_ns += spent;
  if (idle()) {
    cpu->busy_ns += spent; /* inside any other task it is part of that task's time */
  }
  return 0;
}

char dual_license[] SEC("license") = "Dual BSD/GPL";
