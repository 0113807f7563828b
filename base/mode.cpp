// SPDX-License-Identifier: BSD-2-Clause
#include "base/mode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace waggle {

bool leaves_open(std::string_view requested) {
  constexpr std::array<std::string_view, 3> kOpen{"auto", "inherited", "largest"};
  return std::ranges::find(kOpen, requested) != kOpen.end();
}

namespace {

std::unexpected<Error> refuse(const Mode& mode, std::string_view hint) {
  return fail(Fault::missing,
              fmt::format("{} {} was asked for and {} granted", mode.name, mode.requested, mode.granted),
              fmt::format("{}, or allow what is granted with --allow-fallback", hint));
}

}  // namespace

Result<Mode> grant(Mode mode, bool allow_fallback, std::string_view hint) {
  if (!mode.fits() && !allow_fallback) {
    return refuse(mode, hint);
  }
  return mode;
}

Result<Mode> grant_named(Mode mode, bool allow_fallback, std::string_view hint) {
  if (mode.granted != mode.requested && !allow_fallback) {
    return refuse(mode, hint);
  }
  return mode;
}

}  // namespace waggle
