// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/dpdk/apart.hpp"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace waggle::packet::dpdk {
namespace {

int bpf(int command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

std::uint64_t address(const void* of) {
  return reinterpret_cast<std::uintptr_t>(of);
}

}  // namespace

Result<UniqueFd> keep_packets_apart(int interface) {
  // return XDP_PASS;
  const bpf_insn code[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  bpf_attr load;
  std::memset(&load, 0, sizeof load);
  load.prog_type = BPF_PROG_TYPE_XDP;
  load.insn_cnt = 2;
  load.insns = address(code);
  load.license = address("Dual BSD/GPL");
  load.prog_flags = BPF_F_XDP_HAS_FRAGS;  // any MTU
  load.expected_attach_type = BPF_XDP;
  std::strcpy(load.prog_name, "waggle_apart");
  const UniqueFd program(bpf(BPF_PROG_LOAD, load));
  if (!program) {
    return fail(Fault::missing, "cannot load an XDP program", "run as root");
  }
  bpf_attr link;
  std::memset(&link, 0, sizeof link);
  link.link_create.prog_fd = static_cast<std::uint32_t>(program.get());
  link.link_create.target_ifindex = static_cast<std::uint32_t>(interface);
  link.link_create.attach_type = BPF_XDP;
  link.link_create.flags = XDP_FLAGS_DRV_MODE;
  UniqueFd attached(bpf(BPF_LINK_CREATE, link));
  if (!attached) {
    return std::unexpected(Error{.fault = Fault::missing,
                                 .what = "cannot attach an XDP program",
                                 .hint = "remove the one that the device has",
                                 .system = errno});
  }
  return attached;
}

}  // namespace waggle::packet::dpdk
