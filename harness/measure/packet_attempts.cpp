// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/packet_attempts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <glob.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "harness/measure/attempts.hpp"

namespace waggle::measure::attempt {
namespace {

constexpr const char* kDevice = "waggle0";
constexpr std::uint32_t kFrame = 4096;
constexpr std::uint32_t kFrames = 64;
// Younger than the headers of Debian 12 (Linux 5.18 and 6.6).
constexpr std::uint32_t kProgramHasFrags = 1U << 5U;
constexpr std::uint16_t kBindScatterGather = 1U << 4U;

int bpf(int command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

/// A veth whose ends are both in the calling thread's namespace, up.
Result<> make_veth(int mtu) {
  WAGGLE_TRY(veth());
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const char* name : {"waggle0", "waggle1"}) {
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_mtu = mtu;
    if (::ioctl(socket.get(), SIOCSIFMTU, &request) != 0) {
      return fail_errno(fmt::format("an MTU of {} on a veth", mtu));
    }
    request.ifr_flags = IFF_UP;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
      return fail_errno("cannot take a veth up");
    }
  }
  return {};
}

/// Attaches a program that passes everything; it goes with the process.
Result<> attach_program(std::uint32_t mode, std::uint32_t program_flags) {
  const std::array<bpf_insn, 2> pass{
      bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_XDP;
  load.insns = reinterpret_cast<std::uint64_t>(pass.data());
  load.insn_cnt = pass.size();
  load.license = reinterpret_cast<std::uint64_t>("BSD");
  load.prog_flags = program_flags;
  const int program = bpf(BPF_PROG_LOAD, load);
  if (program < 0) {
    return fail_errno("cannot load an XDP program");
  }
  bpf_attr link{};
  link.link_create.prog_fd = static_cast<std::uint32_t>(program);
  link.link_create.target_ifindex = ::if_nametoindex(kDevice);
  link.link_create.attach_type = BPF_XDP;
  link.link_create.flags = mode;
  if (bpf(BPF_LINK_CREATE, link) < 0) {
    return fail_errno("cannot attach an XDP program to a veth");
  }
  return {};
}

Result<> bind_socket(std::uint16_t flags) {
  const UniqueFd socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) {
    return fail_errno("cannot open an AF_XDP socket");
  }
  void* memory = ::mmap(nullptr, kFrame * kFrames, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  xdp_umem_reg umem{};
  umem.addr = reinterpret_cast<std::uint64_t>(memory);
  umem.len = kFrame * kFrames;
  umem.chunk_size = kFrame;
  const std::uint32_t length = kFrames;
  const auto set = [&](int option, const void* value, socklen_t size) {
    return ::setsockopt(socket.get(), SOL_XDP, option, value, size) == 0;
  };
  if (memory == MAP_FAILED || !set(XDP_UMEM_REG, &umem, sizeof umem) ||
      !set(XDP_UMEM_FILL_RING, &length, sizeof length) || !set(XDP_UMEM_COMPLETION_RING, &length, sizeof length) ||
      !set(XDP_RX_RING, &length, sizeof length)) {
    return fail_errno("cannot set up an AF_XDP socket");
  }
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_flags = flags;
  address.sxdp_ifindex = ::if_nametoindex(kDevice);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("cannot bind an AF_XDP socket to a veth");
  }
  return {};
}

Result<> afxdp(std::uint32_t mode, std::uint16_t bind_flags, int mtu, std::uint32_t program_flags) {
  WAGGLE_TRY(make_veth(mtu));
  WAGGLE_TRY(attach_program(mode, program_flags));
  return bind_socket(bind_flags);
}

}  // namespace

Result<> afxdp(XdpMode mode) {
  return afxdp(mode == XdpMode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE, XDP_COPY, 1500, 0);
}

Result<> afxdp_zero_copy() {
  return afxdp(XDP_FLAGS_DRV_MODE, XDP_ZEROCOPY, 1500, 0);
}

Result<> afxdp_multi_buffer() {
  return afxdp(XDP_FLAGS_DRV_MODE, XDP_COPY | kBindScatterGather, 9000, kProgramHasFrags);
}

Result<> threaded_napi() {
  WAGGLE_TRY(make_veth(1500));
  WAGGLE_TRY(attach_program(XDP_FLAGS_DRV_MODE, 0));  // which turns NAPI on
  // sysfs shows the devices of the namespace in which it is mounted.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("waggle", "/sys", "sysfs", 0, nullptr) != 0) {
    return fail_errno("cannot look at the network devices of a namespace");
  }
  const UniqueFd setting(::open(fmt::format("/sys/class/net/{}/threaded", kDevice).c_str(), O_WRONLY | O_CLOEXEC));
  if (!setting || ::write(setting.get(), "1", 1) != 1) {
    return fail_errno("cannot move a veth's receive work into a thread");
  }
  return {};
}

Result<> dpdk_drivers() {
  std::vector<std::string> lacking;
  for (const char* driver : {"net_vhost", "net_virtio", "net_af_packet", "net_af_xdp"}) {
    glob_t found{};
    bool there = false;
    for (const char* place : {"/usr/lib/*/dpdk/pmds-*", "/usr/lib*/dpdk/pmds-*", "/usr/local/lib/*/dpdk/pmds-*"}) {
      const std::string pattern = fmt::format("{}/librte_{}.so*", place, driver);
      there = there || ::glob(pattern.c_str(), 0, nullptr, &found) == 0;
      ::globfree(&found);
    }
    if (!there) {
      lacking.emplace_back(driver);
    }
  }
  return lacking.empty() ? Result<>()
                         : fail(Fault::missing, fmt::format("not installed: {}", fmt::join(lacking, ", ")));
}

Result<> vfio() {
  if (::access("/dev/vfio/vfio", R_OK | W_OK) != 0) {
    return fail_errno("/dev/vfio/vfio cannot be used");
  }
  std::error_code error;
  if (std::filesystem::is_empty("/sys/kernel/iommu_groups", error) || error) {
    return fail(Fault::missing, "there is no IOMMU",
                "boot with intel_iommu=on or amd_iommu=on, or modprobe vfio enable_unsafe_noiommu_mode=1");
  }
  return {};
}

}  // namespace waggle::measure::attempt
