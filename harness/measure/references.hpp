// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "base/result.hpp"

namespace waggle::measure {

/// Whether calls that move a file into a TCP socket pass references to its pages on, so that nothing is copied. No
/// tracepoint tells, so it is tried: bytes that are changed in the file after the call arrive changed, unless somebody
/// has copied them before.
struct References {
  bool sendfile = true;
  bool splice = true;  ///< by a pipe
};

/// Tried with an unnamed file in /var/tmp, or in memory where that cannot be written, over the loopback of the caller's
/// network namespace. What lies below the socket, as a device without scatter-gather, is not part of it.
Result<References> try_references();

}  // namespace waggle::measure
