// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <cstdlib>

namespace waggle::packet::testing {

/// The number that an environment variable holds, WAGGLE_SEEDS (how many) or WAGGLE_SEED (only this one).
inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace waggle::packet::testing
