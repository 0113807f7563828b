// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <span>

namespace waggle {

using ByteView = std::span<const std::byte>;
using ByteSpan = std::span<std::byte>;

}  // namespace waggle
