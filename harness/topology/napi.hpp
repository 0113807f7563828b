// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "datapaths/datapath.hpp"
#include "harness/topology/network_namespace.hpp"

namespace waggle::topology {

/// Where the receive work of a network device runs: in softirq context, on the CPU that sent, or in kernel threads
/// "napi/DEVICE-ID" that can be pinned (Linux 5.12: Documentation/networking/napi.rst, "Threaded NAPI").
class NapiControl {
 public:
  /// Opens the device's setting as its namespace shows it. Fault::missing when the kernel has none.
  static Result<NapiControl> open(const NetworkNamespace& where, const std::string& device);

  /// Chooses, and reads back: {"napi", requested, granted}. A device without NAPI refuses either choice: then "none" is
  /// granted, and set_again() is due when GRO or an XDP program has turned NAPI on, perhaps as an earlier set() had it.
  Result<Mode> set(Napi napi);
  /// Like set(); threads that have appeared since then are this device's.
  Result<Mode> set_again(Napi napi);
  /// Pins the device's kernel threads to `cpu`, gives them precedence over processes there, and reads that back: {"napi
  /// cpu", requested, granted}; granted is "none" when there is no such thread. Threads that have appeared since set()
  /// are taken for this device's, but for those to ignore(): their names do not tell the namespace. A device has its
  /// threads from the moment that GRO or an XDP program turns its NAPI on.
  Result<Mode> pin(int cpu);

  /// Threads that belong to another device of this name.
  void ignore(const std::set<pid_t>& others);
  const std::set<pid_t>& threads() const { return own_; }

 private:
  NapiControl(UniqueFd setting, std::string device) : setting_(std::move(setting)), device_(std::move(device)) {}
  void find_threads();

  UniqueFd setting_;  ///< /sys/class/net/DEVICE/threaded
  std::string device_;
  std::set<pid_t> own_;
  std::set<pid_t> others_;
};

}  // namespace waggle::topology
