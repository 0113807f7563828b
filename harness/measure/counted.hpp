// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "harness/measure/bpf/shared.h"
#include "harness/measure/probe.hpp"

namespace waggle::measure {

/// The counted grade: hardware execution breakpoints on the kernel's copy routines, on every CPU, with a BPF program
/// that adds up the requested bytes. Costs about a fifth of TCP's throughput. Detached on destruction.
class CopyCounter {
 public:
  /// Fault::missing with the reason when the kernel lacks breakpoints, symbols or BPF trampolines.
  static Result<std::unique_ptr<CopyCounter>> start(const std::vector<Party>& parties);
  virtual ~CopyCounter() = default;
  /// Detaches; bytes copied so far, by party in the order of start().
  virtual std::array<std::uint64_t, WAGGLE_PARTIES> stop() = 0;
};

}  // namespace waggle::measure
