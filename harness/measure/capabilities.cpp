// SPDX-License-Identifier: BSD-2-Clause
#include "harness/measure/capabilities.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "harness/measure/attempts.hpp"
#include "harness/measure/calibration.hpp"
#include "harness/measure/packet_attempts.hpp"
#include "harness/measure/pressure.hpp"
#include "harness/measure/probe.hpp"

namespace waggle::measure {
namespace {

constexpr const char* kAsRoot = "sudo harness doctor";

class List {
 public:
  void add(Capability capability, const Result<>& outcome) {
    capability.works = outcome.has_value();
    if (capability.works) {
      capability.remedy.clear();
    } else {
      const Error& error = outcome.error();
      capability.why_not = error.what;
      if (!error.hint.empty()) {
        capability.remedy = error.hint;
      } else if (::geteuid() != 0 && (error.system == EPERM || error.system == EACCES)) {
        capability.remedy = kAsRoot;
      }
    }
    entries_.push_back(std::move(capability));
  }
  std::vector<Capability> take() { return std::move(entries_); }

 private:
  std::vector<Capability> entries_;
};

Capability required(std::string name, std::string need, std::string remedy) {
  return {.name = std::move(name), .need = std::move(need), .required = true, .remedy = std::move(remedy)};
}

Capability optional(std::string name, std::string need, std::string remedy) {
  return {.name = std::move(name), .need = std::move(need), .required = false, .remedy = std::move(remedy)};
}

Result<> be_root() {
  return ::geteuid() == 0 ? Result<>{} : fail(Fault::missing, fmt::format("running as user {}", ::geteuid()), kAsRoot);
}

Result<> two_cpus() {
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online >= 2 ? Result<>{} : fail(Fault::missing, fmt::format("{} CPU is on line", online));
}

Result<> quiet() {
  const Stalls start = read_stalls();
  const Calibration before = calibrate();
  const Calibration after = calibrate();
  const Stalls end = read_stalls();
  if (!noise({.before = before, .after = after}).empty()) {
    // "after the experiment than before it" does not fit here.
    return fail(Fault::missing, "the same work, done twice, took times that differ by more than 10 %");
  }
  const auto reasons = noise({.before = before,
                              .after = before,
                              .throttled_s = throttled_s(start, end),
                              .cpu_pressure = pressure(start, end, "cpu").value_or(0)});
  return reasons.empty() ? Result<>{} : fail(Fault::missing, reasons.front());
}

void add_namespaces(List& list) {
  list.add(required("root", "making namespaces and loading probes", kAsRoot), be_root());
  list.add(required("network namespaces", "two hosts on one machine",
                    "use a kernel with CONFIG_NET_NS, or a container with CAP_SYS_ADMIN"),
           attempt::child(attempt::network_namespace));
  list.add(required("veth", "--link=veth", "modprobe veth"), attempt::child(attempt::veth));
  list.add(required("tmpfs", "--sink=tmpfs", "use a container with CAP_SYS_ADMIN"),
           attempt::child([] { return attempt::tmpfs("size=1m"); }));
  list.add(optional("tmpfs with huge pages", "--huge", "use a kernel with CONFIG_TRANSPARENT_HUGEPAGE"),
           attempt::child([] { return attempt::tmpfs("size=4m,huge=always"); }));
}

void add_kernel(List& list) {
  list.add(required("openat2", "serving one directory and nothing outside it", "use Linux 5.6 or later"),
           attempt::openat2());
  list.add(required("cubic", "comparing at equal congestion control", "modprobe tcp_cubic"), attempt::cubic());
  list.add(optional("MSG_ZEROCOPY", "--datapath=zerocopy", "use Linux 4.14 or later"),
           attempt::child(attempt::zerocopy));
  list.add(optional("io_uring", "--datapath=uring", "sysctl -w kernel.io_uring_disabled=0"), attempt::io_uring());
  list.add(optional("page cache can be dropped", "--cache=cold", kAsRoot), attempt::drop_page_cache());
  list.add(optional("perf events", "migrations and faults by perf", "sysctl -w kernel.perf_event_paranoid=1"),
           attempt::software_event());
}

void add_packets(List& list) {
  const auto afxdp = [](attempt::XdpMode mode) { return attempt::child([mode] { return attempt::afxdp(mode); }); };
  list.add(optional("AF_XDP, native", "--datapath=afxdp", kAsRoot), afxdp(attempt::XdpMode::native));
  list.add(optional("AF_XDP, generic", "--afxdp-mode=generic: devices without native XDP", kAsRoot),
           afxdp(attempt::XdpMode::generic));
  list.add(optional("AF_XDP, zero-copy on a veth", "--afxdp-zero-copy=yes over --link=veth",
                    "copy mode does without; for zero-copy use a NIC whose driver has it"),
           attempt::child(attempt::afxdp_zero_copy));
  list.add(optional("AF_XDP, multi-buffer", "frames that are larger than a chunk: an MTU above 3,500",
                    "use Linux 6.6 or later, or keep to --mtu=3400"),
           attempt::child(attempt::afxdp_multi_buffer));
  list.add(optional("threaded NAPI", "--napi=threaded", "use Linux 5.12 or later, as root"),
           attempt::child(attempt::threaded_napi));
  list.add(optional("hugepages", "--datapath=dpdk; as root an experiment reserves them itself",
                    "sysctl -w vm.nr_hugepages=512"),
           attempt::huge_page());
  list.add(optional("DPDK drivers", "--datapath=dpdk", "apt-get install dpdk librte-net-*"), attempt::dpdk_drivers());
  list.add(optional("VFIO", "--datapath=dpdk --link=nic", "modprobe vfio-pci"), attempt::vfio());
}

void add_probes(List& list) {
  const auto known = grades();
  list.add(optional("copies traced", "system calls, mode switches and copies of a run", ""), known.at(Grade::traced));
  list.add(optional("copies counted", "copies byte by byte instead of derived from system calls", ""),
           known.at(Grade::counted));
}

}  // namespace

std::vector<Capability> capabilities() {
  List list;
  add_namespaces(list);
  add_kernel(list);
  add_packets(list);
  add_probes(list);
  list.add(optional("two CPUs", "sender and receiver that do not share one", "use a machine with more CPUs"),
           two_cpus());
  list.add(optional("quiet machine", "narrow intervals", "stop what else runs here, and on its host"), quiet());
  return list.take();
}

}  // namespace waggle::measure
