// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

/// DPDK's environment abstraction layer (EAL): one per process, started by the first port that is opened.
namespace waggle::packet::dpdk {

/// Hugepage memory in bytes that one process takes: mbufs, rings and EAL's own.
inline constexpr std::uint64_t kHugepageBytes = std::uint64_t{64} << 20;

/// How the EAL is started. Only the first start of a process counts.
struct EalOptions {
  std::string pci;   ///< PCI address of the one device to use; empty: no PCI device is touched
  std::string cpus;  ///< CPUs that EAL's own threads may run on, as in "0,2-3"; empty: those of the calling thread
};

/// Starts the EAL, once per process, all in memory: no file, no socket and no hugepage outlives the process. Its log
/// goes to the file named by WAGGLE_DPDK_LOG, if there is one. Fault::missing when the machine lacks what it needs.
Result<> start_eal(const EalOptions& options);

/// The first complaint in DPDK's log since the last call of forget_complaints(), for error messages: the others follow
/// from it. Empty when there was none.
std::string first_complaint();
void forget_complaints();

/// While it lives, the calling thread and the threads that it starts are not told by SIGPIPE that the other end of a
/// vhost-user socket is gone: DPDK would let that end the process.
class NoPipeSignal {
 public:
  NoPipeSignal();
  ~NoPipeSignal();
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t before_;
};

/// While it lives, what libraries print to standard error in the calling thread goes into DPDK's log.
class QuietErrors {
 public:
  QuietErrors();
  ~QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

/// While it lives, LeakSanitizer, where there is one, does not look after what the calling thread allocates. DPDK's
/// drivers keep their pointers in hugepages, where it does not look for them, and forget some blocks: net_virtio_user
/// those of a device that could not be opened, net_af_xdp its UMEM's description.
class NoLeakCheck {
 public:
  NoLeakCheck();
  ~NoLeakCheck();
  NoLeakCheck(const NoLeakCheck&) = delete;
  NoLeakCheck& operator=(const NoLeakCheck&) = delete;
};

/// A device of the EAL's bus, by hotplug: plugged in by make(), taken out by destruction.
class Plugged {
 public:
  /// `name` like "net_vhost0", `arguments` as in --vdev; for PCI the address and nothing.
  static Result<Plugged> make(const std::string& bus, const std::string& name, const std::string& arguments);
  Plugged(Plugged&& other) noexcept;
  Plugged& operator=(Plugged&&) = delete;
  ~Plugged();

  std::uint16_t id() const { return id_; }  ///< DPDK's number of the Ethernet device

 private:
  Plugged(std::string bus, std::string name, std::uint16_t id)
      : bus_(std::move(bus)), name_(std::move(name)), id_(id) {}
  std::string bus_;
  std::string name_;
  std::uint16_t id_;
};

/// "0,2" from the CPUs that the calling thread may run on (sched_getaffinity(2)).
std::string cpus_of_thread();

}  // namespace waggle::packet::dpdk
