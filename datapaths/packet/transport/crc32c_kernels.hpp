// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Private to crc32c*.cpp: one build of the checksum per instruction set, and the arithmetic that they share.
namespace waggle::packet::crc {

/// Castagnoli's polynomial, bits reflected: bit 31 is the coefficient of x^0.
inline constexpr std::uint32_t kPolynomial = 0x82F63B78;

/// a * b modulo the polynomial.
constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 0x80000000; bit != 0; bit >>= 1U) {
    product ^= (a & bit) != 0 ? b : 0;
    b = (b & 1U) != 0 ? (b >> 1U) ^ kPolynomial : b >> 1U;
  }
  return product;
}

/// x^n modulo the polynomial.
constexpr std::uint32_t power(std::uint64_t n) {
  std::uint32_t result = 0x80000000;
  for (std::uint32_t square = 0x40000000; n != 0; n >>= 1U) {
    if ((n & 1U) != 0) {
      result = multiply(result, square);
    }
    square = multiply(square, square);
  }
  return result;
}

/// The three-stream kernels split a run of 24 * n bytes into three lanes of 8 * n bytes, n <= kLongestLane: 3 KiB of
/// one page are read while they are near.
inline constexpr std::size_t kLongestLane = 128;
/// [n] moves a checksum over 8 * n bytes: crc32_u64(0, clmul(crc, kShift[n])).
inline constexpr auto kShift = [] {
  std::array<std::uint32_t, 2 * kLongestLane + 1> shift{};
  shift[1] = power(64 - 33);
  for (std::size_t n = 2; n < shift.size(); ++n) {
    shift[n] = multiply(shift[n - 1], power(64));
  }
  return shift;
}();

/// One build. `crc` is the raw register, not inverted.
struct Kernel {
  std::string_view name;
  bool (*supported)();
  std::uint32_t (*update)(std::uint32_t crc, const std::byte* bytes, std::size_t length);
  /// Copies to `to` in the same pass.
  std::uint32_t (*copy)(std::uint32_t crc, std::byte* to, const std::byte* from, std::size_t length);
};

extern const Kernel kTable;  ///< any CPU: slicing by eight
#if defined(__x86_64__)
extern const Kernel kSse42;   ///< CRC32 instruction, three streams, joined by PCLMULQDQ
extern const Kernel kVector;  ///< VPCLMULQDQ over 512 bits, four accumulators
#elif defined(__aarch64__)
extern const Kernel kArm;  ///< CRC32 instructions, three streams
#endif

}  // namespace waggle::packet::crc
