// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>

#include "datapaths/packet/sleeper.hpp"

namespace waggle::packet::testing {

/// What a Driver does when a poll has brought nothing, for a test that has the port alone.
inline Result<> wait(Port& port, Time deadline, const Sleeper& sleeper) {
  WAGGLE_LET(watch, port.arm(std::min(deadline, port.due())));
  auto slept = watch.until > 0 ? sleeper.sleep(watch) : Result<>();
  port.disarm();
  return slept;
}

/// The same where nobody calls wake().
inline Result<> wait(Port& port, Time deadline) {
  static const Sleeper undisturbed;
  return wait(port, deadline, undisturbed);
}

}  // namespace waggle::packet::testing
