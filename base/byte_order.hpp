// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace waggle {

/// Host to network byte order and back.
template <std::integral T>
constexpr T big_endian(T value) {
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) {
    return static_cast<T>(std::byteswap(static_cast<std::make_unsigned_t<T>>(value)));
  }
  return value;
}

/// Reads a number in network byte order, wherever it stands.
template <std::integral T>
T load_be(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return big_endian(value);
}

/// Writes a number in network byte order.
template <std::integral T>
void store_be(std::byte* to, T value) {
  value = big_endian(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace waggle
