// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#ifndef WAGGLE_MEASURE_SHARED_H
#define WAGGLE_MEASURE_SHARED_H

/* What the BPF programs and the harness tell each other: plain data, the same in C and C++. */

#include <linux/types.h>

/* Parties that are told apart, by their place in the list that the harness gives. */
#define WAGGLE_PARTIES 8

/* Kind of a source or destination. `direct` is a regular file opened with O_DIRECT: no CPU copies its bytes. UDP, AF_XDP
 * and AF_PACKET sockets are told from the others, whose bytes are a stream. */
enum waggle_kind {
  WAGGLE_NONE,
  WAGGLE_MEMORY,
  WAGGLE_FILE,
  WAGGLE_DIRECT,
  WAGGLE_SOCKET,
  WAGGLE_UDP,
  WAGGLE_XDP,
  WAGGLE_PACKET,
  WAGGLE_PIPE,
  WAGGLE_OTHER,
  WAGGLE_KINDS
};

/* Flags of a call that change what it copies; calls that differ in them are counted apart. */
enum waggle_flavour { WAGGLE_PLAIN, WAGGLE_ZEROCOPY, WAGGLE_TRUNCATE };

/* Where a system call has its descriptors: an argument's number from 1 on, 0 for none, WAGGLE_USER for user memory. */
#define WAGGLE_USER 255
struct waggle_shape {
  __u8 from;
  __u8 to;
  __u8 flags; /* argument with MSG_* flags, from 1 on; 0 for none */
  __u8 moves; /* 1: a positive result is a number of bytes moved */
};
/* `moves` of sendmmsg and recvmmsg: the result is a number of messages, the vector is the second argument. */
#define WAGGLE_MESSAGES 2
#define WAGGLE_SHAPES 512

/* io_uring's operations share the table of system calls: number is this plus the opcode. */
#define WAGGLE_URING 0x10000

struct waggle_call_key {
  __u32 number;
  __u8 party;
  __u8 from;
  __u8 to;
  __u8 flavour;
};

struct waggle_call_count {
  __u64 calls;
  __u64 errors;
  __u64 bytes;
};

struct waggle_switches {
  __u64 voluntary;
  __u64 involuntary;
};

/* Clock of one CPU; nanoseconds of bpf_ktime_get_ns(). */
struct waggle_cpu {
  __u64 open;          /* 1 while the window is open */
  __u64 since;         /* last time accounted for */
  __u64 softirq_since; /* 0: not in a softirq */
  __u64 busy_ns;
  __u64 softirq_ns;
};

#define WAGGLE_DROP_REASONS 256
#endif
