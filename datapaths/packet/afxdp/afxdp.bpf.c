// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Redirects what is for one UDP port of this host into the AF_XDP socket of its receive queue and passes everything
 * else on to the kernel: ARP, ping, SSH and whatever cannot be handled in user space, such as fragments and IP options.
 */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define MORE_FRAGMENTS_OR_OFFSET 0x3FFF

/* Set before the program is loaded, network byte order. */
const volatile __u32 local_ip = 0;
const volatile __u16 local_port = 0;

/* Receive queue -> AF_XDP socket. */
struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, __u32);
} sockets SEC(".maps");

static __always_inline bool ours(struct xdp_md* frame) {
  const struct ethhdr* ethernet = (void*)(long)frame->data;
  const struct iphdr* ip = (void*)(ethernet + 1);
  const struct udphdr* udp = (void*)(ip + 1);
  if ((void*)(udp + 1) > (void*)(long)frame->data_end) {
    return false;
  }
  return ethernet->h_proto == bpf_htons(ETH_P_IP) && ip->version == 4 && ip->ihl == 5 && ip->protocol == IPPROTO_UDP &&
         !(ip->frag_off & bpf_htons(MORE_FRAGMENTS_OR_OFFSET)) && ip->daddr == local_ip && udp->dest == local_port;
}

static __always_inline int redirect(struct xdp_md* frame) {
  return ours(frame) ? bpf_redirect_map(&sockets, frame->rx_queue_index, XDP_PASS) : XDP_PASS;
}

SEC("xdp")
int afxdp_frame(struct xdp_md* frame) {
  return redirect(frame);
}

/* For devices whose MTU does not fit one page. */
SEC("xdp.frags")
int afxdp_fragments(struct xdp_md* frame) {
  return redirect(frame);
}

char _license[] SEC("license") = "Dual BSD/GPL";
