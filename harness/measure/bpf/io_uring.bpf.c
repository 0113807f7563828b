// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every completed io_uring operation of the measured processes: those are no system calls, so sys_exit never sees
 * them. Completions run in the submitter's context or in a worker thread of its process. An operation that succeeds
 * under IOSQE_CQE_SKIP_SUCCESS posts no completion and is not seen. */

#include "kernel.bpf.h"

#define NOTIFICATION 8 /* IORING_CQE_F_NOTIF: buffers of a zero-copy send are free; no operation of its own */

struct io_kiocb {
  struct file *file;
  __u8 opcode;
} RELOCATED;

struct io_uring_cqe___kernel {
  __s32 res;
  __u32 flags;
} RELOCATED;

/* Kernels before 6.13 pass result and flags by value, later ones the whole completion entry. */
const volatile __u8 passes_entry = 1;
/* Per opcode, as for system calls: which end `file` is, and whether the result is bytes. */
const volatile struct waggle_shape shapes[WAGGLE_SHAPES] = {};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 512);
  __type(key, struct waggle_call_key);
  __type(value, struct waggle_call_count);
} operations SEC(".maps");

SEC("raw_tp/io_uring_complete")
int count_operation(struct bpf_raw_tracepoint_args *ctx)
{
  int party = party_of_current();
  struct io_kiocb *request = (struct io_kiocb *)ctx->args[1];
  if (party < 0 || !request) {
    return 0;
  }
  __s32 result;
  __u32 flags;
  if (passes_entry) {
    struct io_uring_cqe___kernel *entry = (struct io_uring_cqe___kernel *)ctx->args[2];
    result = BPF_CORE_READ(entry, res);
    flags = BPF_CORE_READ(entry, flags);
  } else {
    result = (__s32)ctx->args[3];
    flags = (__u32)ctx->args[4];
  }
  if (flags & NOTIFICATION) {
    return 0;
  }
  __u8 opcode = BPF_CORE_READ(request, opcode);
  struct waggle_call_key key = {.number = WAGGLE_URING + opcode, .party = party};
  struct waggle_shape shape = shapes[opcode];
  key.from = shape.from == WAGGLE_USER ? WAGGLE_MEMORY : shape.from ? kind_of_file(BPF_CORE_READ(request, file)) : 0;
  key.to = shape.to == WAGGLE_USER ? WAGGLE_MEMORY : shape.to ? kind_of_file(BPF_CORE_READ(request, file)) : 0;
  count(&operations, &key, result, shape.moves ? result : 0);
  return 0;
}

char dual_license[] SEC("license") = "Dual BSD/GPL";
