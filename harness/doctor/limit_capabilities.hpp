// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <vector>

#include "harness/measure/capabilities.hpp"

namespace waggle::doctor {

/// What the system lets this process have, after soft limits were raised to the hard ones: open files, threads, locked
/// memory and the hugepages of its control group, each with whether it is enough for all that can be asked for.
std::vector<measure::Capability> limit_capabilities();

}  // namespace waggle::doctor
