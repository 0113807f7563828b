// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Bytes that the kernel copies out of socket buffers for each party, and what the network lost: retransmitted TCP
 * segments and dropped packets, in the network namespaces of the measured processes only. */

#include "kernel.bpf.h"

struct ns_common {
  unsigned int inum;
} RELOCATED;

struct net {
  struct ns_common ns;
} RELOCATED;

typedef struct {
  struct net *net;
} possible_net_t;

struct sock_common {
  possible_net_t skc_net;
} RELOCATED;

struct sock {
  struct sock_common __sk_common;
} RELOCATED;

struct net_device {
  possible_net_t nd_net;
} RELOCATED;

struct sk_buff {
  struct net_device *dev;
  struct sock *sk;
  unsigned char *head;
  __u16 network_header;
} RELOCATED;

enum skb_drop_reason { SKB_NOT_DROPPED_YET, SKB_CONSUMED, SKB_DROP_REASON_NOT_SPECIFIED };

/* Inode numbers of the network namespaces of the parties; 0: no party; that the first one is 0 counts everywhere. */
const volatile __u32 party_network[WAGGLE_PARTIES] = {};
/* Kernels from 6.11 on tell kfree_skb's socket in a fourth argument. */
const volatile __u8 drop_tells_socket = 0;

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WAGGLE_PARTIES);
  __type(key, __u32);
  __type(value, __u64);
} socket_copied SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} retransmits SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WAGGLE_DROP_REASONS);
  __type(key, __u32);
  __type(value, __u64);
} drops SEC(".maps");

static __always_inline void add(void *map, __u32 key, __u64 amount)
{
  __u64 *sum = bpf_map_lookup_elem(map, &key);
  if (sum) {
    *sum += amount;
  }
}

/* A packet whose namespace cannot be told any more is counted. */
static __always_inline bool is_ours(__u32 network)
{
  if (!network || !party_network[0]) {
    return true;
  }
#pragma unroll
  for (int party = 0; party < WAGGLE_PARTIES; ++party) {
    if (network == party_network[party]) {
      return true;
    }
  }
  return false;
}

static __always_inline __u32 network_of_socket(struct sock *socket)
{
  return socket ? BPF_CORE_READ(socket, __sk_common.skc_net.net, ns.inum) : 0;
}

#define IP_UDP 17
#define NO_HEADER 0xffff

/* UDP's copies follow from what its system calls return: the kernel copies packets of one piece past this tracepoint. */
static __always_inline bool is_udp(struct sk_buff *packet)
{
  __u16 offset = BPF_CORE_READ(packet, network_header);
  unsigned char *head = BPF_CORE_READ(packet, head);
  unsigned char ip[10] = {};
  if (!offset || offset == NO_HEADER || bpf_probe_read_kernel(ip, sizeof(ip), head + offset)) {
    return false;
  }
  return (ip[0] >> 4) == 4 ? ip[9] == IP_UDP : (ip[0] >> 4) == 6 && ip[6] == IP_UDP;
}

/* (const struct sk_buff *, int length) */
SEC("raw_tp/skb_copy_datagram_iovec")
int on_socket_copy(struct bpf_raw_tracepoint_args *ctx)
{
  int party = party_of_current();
  if (party >= 0 && !is_udp((struct sk_buff *)ctx->args[0])) {
    add(&socket_copied, party, (__u32)ctx->args[1]);
  }
  return 0;
}

/* (const struct sock *, const struct sk_buff *, …) */
SEC("raw_tp/tcp_retransmit_skb")
int on_retransmit(struct bpf_raw_tracepoint_args *ctx)
{
  if (is_ours(network_of_socket((struct sock *)ctx->args[0]))) {
    add(&retransmits, 0, 1);
  }
  return 0;
}

static __always_inline bool is_drop(__u32 reason)
{
  if (reason == 0 || reason == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED)) {
    return false;
  }
  return !bpf_core_enum_value_exists(enum skb_drop_reason, SKB_CONSUMED) ||
         reason != bpf_core_enum_value(enum skb_drop_reason, SKB_CONSUMED);
}

/* (struct sk_buff *, void *location, enum skb_drop_reason[, struct sock *]) */
SEC("raw_tp/kfree_skb")
int on_free(struct bpf_raw_tracepoint_args *ctx)
{
  __u32 reason = (__u32)ctx->args[2];
  if (!is_drop(reason)) {
    return 0;
  }
  struct sk_buff *packet = (struct sk_buff *)ctx->args[0];
  __u32 network = drop_tells_socket ? network_of_socket((struct sock *)ctx->args[3]) : 0;
  if (!network) {
    network = network_of_socket(BPF_CORE_READ(packet, sk));
  }
  if (!network) {
    network = BPF_CORE_READ(packet, dev, nd_net.net, ns.inum);
  }
  if (is_ours(network)) {
    add(&drops, reason < WAGGLE_DROP_REASONS ? reason : WAGGLE_DROP_REASONS - 1, 1);
  }
  return 0;
}

char dual_license[] SEC("license") = "Dual BSD/GPL";
