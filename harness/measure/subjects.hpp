// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/types.h>

#include "harness/measure/probe.hpp"

namespace waggle::measure {

/// What the BPF programs tell apart: two processes (bpf/shared.h, waggle_side). 0: none.
struct Subjects {
  pid_t sender = 0;
  pid_t receiver = 0;
};

/// The one place where parties become sides. Fault::missing for more than one party of a role, or another role.
Result<Subjects> subjects_of(const std::vector<Party>& parties);

}  // namespace waggle::measure
