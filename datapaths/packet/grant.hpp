// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/result.hpp"
#include "datapaths/datapath.hpp"

namespace waggle::packet {

/// `mode` again, or Fault::missing when something else was granted than requested and no fallback is allowed.
/// Requested "auto" takes everything.
inline Result<Mode> grant(Mode mode, bool allow_fallback, std::string hint) {
  if (mode.requested == mode.granted || mode.requested == "auto" || allow_fallback) {
    return mode;
  }
  return fail(Fault::missing,
              fmt::format("{} {} was asked for and {} granted", mode.name, mode.requested, mode.granted),
              fmt::format("{}, or allow the fallback", hint));
}

}  // namespace waggle::packet
