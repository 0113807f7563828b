// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#ifndef WAGGLE_MEASURE_KERNEL_BPF_H
#define WAGGLE_MEASURE_KERNEL_BPF_H

/* The few fields of kernel structures that the probes read, relocated to the running kernel's layout (CO-RE), and the
 * question that every probe asks first: is this one of the two measured processes? */

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "shared.h"

#define RELOCATED __attribute__((preserve_access_index))

struct inode {
  unsigned short i_mode;
} RELOCATED;

struct file {
  struct inode *f_inode;
  unsigned int f_flags;
  void *private_data;
} RELOCATED;

struct sock_common___family {
  unsigned short skc_family;
} RELOCATED;

struct sock___family {
  struct sock_common___family __sk_common;
} RELOCATED;

struct socket {
  short type;
  struct sock___family *sk;
} RELOCATED;

struct fdtable {
  unsigned int max_fds;
  struct file **fd;
} RELOCATED;

struct files_struct {
  struct fdtable *fdt;
} RELOCATED;

struct task_struct {
  int pid;
  struct files_struct *files;
} RELOCATED;

/* Thread groups of the measured processes by party, as seen from the PID namespace below; 0: no party. The verifier
 * knows the values when a program is loaded and drops the comparisons that cannot be true. */
const volatile __u32 party_tgid[WAGGLE_PARTIES] = {};
/* Device and inode of the harness's PID namespace; 0 when it is the initial one. */
const volatile __u64 pid_namespace_device = 0;
const volatile __u64 pid_namespace_inode = 0;

/* Party of the current task, or -1. */
static __always_inline int party_of_current(void)
{
  __u32 tgid = bpf_get_current_pid_tgid() >> 32;
  if (pid_namespace_inode) {
    struct bpf_pidns_info id = {};
    if (bpf_get_ns_current_pid_tgid(pid_namespace_device, pid_namespace_inode, &id, sizeof(id))) {
      return -1;
    }
    tgid = id.tgid;
  }
  if (tgid == 0) {
    return -1;
  }
#pragma unroll
  for (int party = 0; party < WAGGLE_PARTIES; ++party) {
    if (tgid == party_tgid[party]) {
      return party;
    }
  }
  return -1;
}

#define KIND_MASK 0170000
#define KIND_SOCKET 0140000
#define KIND_REGULAR 0100000
#define KIND_FIFO 0010000

/* O_DIRECT differs between architectures: the harness says. */
const volatile __u32 direct_flag = 0;

#define FAMILY_INET 2
#define FAMILY_INET6 10
#define FAMILY_PACKET 17
#define FAMILY_XDP 44
#define TYPE_DATAGRAM 2

static __always_inline __u8 kind_of_socket(struct socket *socket)
{
  switch (BPF_CORE_READ(socket, sk, __sk_common.skc_family)) {
    case FAMILY_XDP: return WAGGLE_XDP;
    case FAMILY_PACKET: return WAGGLE_PACKET;
    case FAMILY_INET:
    case FAMILY_INET6: return BPF_CORE_READ(socket, type) == TYPE_DATAGRAM ? WAGGLE_UDP : WAGGLE_SOCKET;
    default: return WAGGLE_SOCKET;
  }
}

static __always_inline __u8 kind_of_file(struct file *file)
{
  if (!file) {
    return WAGGLE_OTHER;
  }
  switch (BPF_CORE_READ(file, f_inode, i_mode) & KIND_MASK) {
    case KIND_REGULAR: return BPF_CORE_READ(file, f_flags) & direct_flag ? WAGGLE_DIRECT : WAGGLE_FILE;
    case KIND_SOCKET: return kind_of_socket(BPF_CORE_READ(file, private_data));
    case KIND_FIFO: return WAGGLE_PIPE;
    default: return WAGGLE_OTHER;
  }
}

/* Adds one finished call that has moved `bytes` to `map`, a per-CPU hash of waggle_call_key -> waggle_call_count. */
static __always_inline void count(void *map, const struct waggle_call_key *key, long result, __u64 bytes)
{
  struct waggle_call_count *entry = bpf_map_lookup_elem(map, key);
  if (!entry) {
    struct waggle_call_count zero = {};
    bpf_map_update_elem(map, key, &zero, BPF_NOEXIST);
    entry = bpf_map_lookup_elem(map, key);
    if (!entry) {
      return;
    }
  }
  entry->calls++;
  if (result < 0) {
    entry->errors++;
  } else {
    entry->bytes += bytes;
  }
}
#endif
