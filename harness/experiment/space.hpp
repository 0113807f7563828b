// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "harness/experiment/spec.hpp"

namespace waggle::experiment {

/// Bytes that the files of an experiment take at most at one time, about.
struct SpaceNeeded {
  std::uint64_t disk = 0;    ///< below Spec::work: what is sent, and what is received into files
  std::uint64_t memory = 0;  ///< what is received into a tmpfs
};

/// Of a Spec that was settled.
Result<SpaceNeeded> space_needed(const Spec& spec);

/// Fault::missing, with what is needed and what is free, when the file system of Spec::work or the memory of this
/// machine has less: told before anything is made, not after the disk is full.
Result<> check_space(const Spec& spec);

}  // namespace waggle::experiment
