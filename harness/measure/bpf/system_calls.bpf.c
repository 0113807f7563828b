// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every finished system call of the measured processes, with its result and the kind of its descriptors.
 * Only sys_exit is needed: the registers still hold the arguments there, which halves the cost of the probe. */

#include "kernel.bpf.h"

#define MSG_TRUNC_FLAG 0x20
#define MSG_ZEROCOPY_FLAG 0x4000000

#if defined(__TARGET_ARCH_x86)
struct pt_regs___call {
  unsigned long di, si, dx, r10, orig_ax;
} RELOCATED;

static __always_inline __u32 number_of(struct pt_regs___call *regs)
{
  return BPF_CORE_READ(regs, orig_ax);
}

static __always_inline __u64 argument(struct pt_regs___call *regs, __u8 which)
{
  switch (which) {
    case 1: return BPF_CORE_READ(regs, di);
    case 2: return BPF_CORE_READ(regs, si);
    case 3: return BPF_CORE_READ(regs, dx);
    default: return BPF_CORE_READ(regs, r10);
  }
}
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs___call {
  __u64 regs[31];
  __u64 orig_x0;
  int syscallno;
} RELOCATED;

static __always_inline __u32 number_of(struct pt_regs___call *regs)
{
  return BPF_CORE_READ(regs, syscallno);
}

static __always_inline __u64 argument(struct pt_regs___call *regs, __u8 which)
{
  switch (which) {
    case 1: return BPF_CORE_READ(regs, orig_x0);
    case 2: return BPF_CORE_READ(regs, regs[1]);
    case 3: return BPF_CORE_READ(regs, regs[2]);
    default: return BPF_CORE_READ(regs, regs[3]);
  }
}
#else
#error "tell where this architecture keeps the arguments of a system call"
#endif

const volatile struct waggle_shape shapes[WAGGLE_SHAPES] = {};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 2048);
  __type(key, struct waggle_call_key);
  __type(value, struct waggle_call_count);
} calls SEC(".maps");

static __always_inline __u8 kind_of_descriptor(__u32 descriptor)
{
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  struct fdtable *table = BPF_CORE_READ(task, files, fdt);
  if (descriptor >= BPF_CORE_READ(table, max_fds)) {
    return WAGGLE_OTHER;
  }
  struct file **slots = BPF_CORE_READ(table, fd);
  struct file *file = 0;
  bpf_probe_read_kernel(&file, sizeof(file), slots + descriptor);
  return kind_of_file(file);
}

static __always_inline __u8 kind_of_argument(struct pt_regs___call *regs, __u8 where)
{
  if (where == 0) {
    return WAGGLE_NONE;
  }
  return where == WAGGLE_USER ? WAGGLE_MEMORY : kind_of_descriptor(argument(regs, where));
}

#define MOST_MESSAGES 1024 /* UIO_MAXIOV: the kernel takes no more per call */
/* struct mmsghdr of 64-bit programs: a struct msghdr of 56 bytes, then the length that the kernel has written. */
#define MESSAGE_SIZE 64
#define MESSAGE_LENGTH 56

struct messages {
  __u64 vector;
  __u64 bytes;
};

static long add_message(__u32 index, struct messages *messages)
{
  __u32 length = 0;
  bpf_probe_read_user(&length, sizeof(length), (void *)(messages->vector + index * MESSAGE_SIZE + MESSAGE_LENGTH));
  messages->bytes += length;
  return 0;
}

static __always_inline __u64 bytes_of_messages(__u64 vector, __u32 count)
{
  struct messages messages = {.vector = vector};
  bpf_loop(count < MOST_MESSAGES ? count : MOST_MESSAGES, add_message, &messages, 0);
  return messages.bytes;
}

SEC("raw_tp/sys_exit")
int count_call(struct bpf_raw_tracepoint_args *ctx)
{
  int party = party_of_current();
  if (party < 0) {
    return 0;
  }
  struct pt_regs___call *regs = (struct pt_regs___call *)ctx->args[0];
  struct waggle_call_key key = {.number = number_of(regs), .party = party};
  long result = (long)ctx->args[1];
  __u64 bytes = 0;
  if (key.number < WAGGLE_SHAPES) {
    struct waggle_shape shape = shapes[key.number];
    if (result > 0 && shape.moves) {
      bytes = shape.moves == WAGGLE_MESSAGES ? bytes_of_messages(argument(regs, 2), result) : result;
    }
    key.from = kind_of_argument(regs, shape.from);
    key.to = kind_of_argument(regs, shape.to);
    if (shape.flags) {
      __u64 flags = argument(regs, shape.flags);
      key.flavour = flags & MSG_ZEROCOPY_FLAG && (key.to == WAGGLE_SOCKET || key.to == WAGGLE_UDP) ? WAGGLE_ZEROCOPY
                    : flags & MSG_TRUNC_FLAG && key.from == WAGGLE_SOCKET                          ? WAGGLE_TRUNCATE
                                                                                                   : WAGGLE_PLAIN;
    }
  }
  count(&calls, &key, result, bytes);
  return 0;
}

char dual_license[] SEC("license") = "Dual BSD/GPL";
