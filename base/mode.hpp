// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace waggle {

/// Whether a request leaves the choice to whoever grants it: "auto", "inherited", "largest".
bool leaves_open(std::string_view requested);

/// A mode as it was asked for and as it was granted, read back from the kernel or the device.
struct Mode {
  std::string name;
  std::string requested;
  std::string granted;

  /// Whether it may stand: as requested, or left open.
  bool fits() const { return granted == requested || leaves_open(requested); }
};

/// `mode` again when it fits or a fallback is allowed, which the record then tells. Fault::missing otherwise; `hint`
/// says what else would do: "raise net.core.wmem_max".
Result<Mode> grant(Mode mode, bool allow_fallback, std::string_view hint);

/// The same of a name that people write freely, in which no word leaves anything open: it is granted, or it is not.
Result<Mode> grant_named(Mode mode, bool allow_fallback, std::string_view hint);

}  // namespace waggle
