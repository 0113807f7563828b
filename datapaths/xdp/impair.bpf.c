// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A bad link: sits in the middle between two interfaces, brings every frame that comes in on one out on the other, and
 * on the way loses some, doubles some and lets some arrive late. Doubling is a broadcast to a devmap that names the
 * same device twice; what is late takes a detour over the kernel thread of a cpumap entry, and others overtake it. */

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

enum { PASSED, LOST, DOUBLED, LATE, FATES };
enum { TO_FIRST, TO_SECOND };

/* Set before the program is loaded. Chances are per mille. */
const volatile __u32 first = 0; /* interface index */
const volatile __u32 loss = 0;
const volatile __u32 duplicate = 0;
const volatile __u32 reorder = 0;
const volatile __u64 seed = 0;
const volatile __u32 detour = 0; /* CPU */

/* Frames so far and what became of them, by direction. */
__u64 frames[2];
__u64 fates[2][FATES];

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, __u32);
} once SEC(".maps"), twice_to_first SEC(".maps"), twice_to_second SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_CPUMAP);
  __uint(max_entries, 1); /* set to the number of CPUs */
  __type(key, __u32);
  __type(value, struct bpf_cpumap_val);
} later SEC(".maps");

static __always_inline __u32 direction_of(const struct xdp_md* frame) {
  return frame->ingress_ifindex == first ? TO_SECOND : TO_FIRST;
}

/* The nth number of a seeded sequence (splitmix64, Steele et al., 2014). */
static __always_inline __u64 random_number(__u64 n) {
  __u64 z = seed + (n + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

static __always_inline int forward(__u32 direction) {
  return bpf_redirect_map(&once, direction, 0);
}

SEC("xdp")
int impair(struct xdp_md* frame) {
  __u32 direction = direction_of(frame);
  __u64 n = __sync_fetch_and_add(&frames[direction & 1], 1);
  __u64 dice = random_number(n * 2 + direction);
  __u32 fate = dice % 1000 < loss                ? LOST
               : (dice >> 16) % 1000 < duplicate ? DOUBLED
               : (dice >> 32) % 1000 < reorder   ? LATE
                                                 : PASSED;
  __sync_fetch_and_add(&fates[direction & 1][fate & 3], 1);
  switch (fate) {
    case LOST: return XDP_DROP;
    case DOUBLED:
      return direction == TO_FIRST ? bpf_redirect_map(&twice_to_first, 0, BPF_F_BROADCAST)
                                   : bpf_redirect_map(&twice_to_second, 0, BPF_F_BROADCAST);
    case LATE: return bpf_redirect_map(&later, detour, 0);
    default: return forward(direction);
  }
}

/* Where the detour ends. */
SEC("xdp/cpumap")
int arrive(struct xdp_md* frame) {
  return forward(direction_of(frame));
}

char _license[] SEC("license") = "Dual BSD/GPL";
