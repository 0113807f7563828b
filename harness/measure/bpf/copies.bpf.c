// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The counted grade: what the kernel's copy routines are asked to copy, byte by byte. They are notrace, so hardware
 * execution breakpoints stop at their first instruction, where the arguments still are in their registers. */

#include "kernel.bpf.h"

#include <linux/bpf_perf_event.h>

#include <bpf/bpf_tracing.h>

struct sk_buff {
  unsigned int data_len;
} RELOCATED;

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WAGGLE_PARTIES);
  __type(key, __u32);
  __type(value, __u64);
} copied SEC(".maps");

static __always_inline void add(int party, __u64 bytes)
{
  __u32 key = party;
  __u64 *sum = party >= 0 ? bpf_map_lookup_elem(&copied, &key) : 0;
  if (sum) {
    *sum += bytes;
  }
}

/* size_t _copy_to_iter(const void *, size_t bytes, struct iov_iter *), and _copy_from_iter alike */
SEC("perf_event")
int bytes_are_second(struct bpf_perf_event_data *ctx)
{
  add(party_of_current(), PT_REGS_PARM2(&ctx->regs));
  return 0;
}

/* size_t copy_page_from_iter_atomic(struct page *, size_t offset, size_t bytes, struct iov_iter *) */
SEC("perf_event")
int bytes_are_third(struct bpf_perf_event_data *ctx)
{
  add(party_of_current(), PT_REGS_PARM3(&ctx->regs));
  return 0;
}

/* The party that sends payload; -1: there is none. */
const volatile int sending_party = 0;

/* int skb_copy_ubufs(struct sk_buff *, gfp_t): a zero-copy send that is copied after all, often in a softirq on some
 * other task's back, so it is the sender's whoever is current. */
SEC("fentry/skb_copy_ubufs")
int BPF_PROG(on_zerocopy_copied, struct sk_buff *packet)
{
  add(sending_party, packet->data_len);
  return 0;
}

char dual_license[] SEC("license") = "Dual BSD/GPL";
