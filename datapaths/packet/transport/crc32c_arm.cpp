// SPDX-License-Identifier: BSD-2-Clause
#if defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cstring>

#include "datapaths/packet/transport/crc32c_kernels.hpp"

#if defined(__clang__)
#define WAGGLE_CRC __attribute__((target("crc")))
#else
#define WAGGLE_CRC __attribute__((target("+crc")))
#endif

namespace waggle::packet::crc {
namespace {

std::uint64_t word_at(const std::byte* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

/// The 64 bits of a * b, bit by bit: twice per 3 KiB, so that PMULL, which is optional, is not needed.
std::uint64_t carryless(std::uint32_t a, std::uint32_t b) {
  std::uint64_t product = 0;
  for (unsigned bit = 0; bit < 32; ++bit) {
    product ^= (std::uint64_t{a} << bit) & (std::uint64_t{0} - ((b >> bit) & 1U));
  }
  return product;
}

WAGGLE_CRC std::uint32_t three_streams(std::uint32_t crc, const std::byte* bytes, std::size_t length) {
  while (length >= 480) {
    const std::size_t words = std::min(length / 24, kLongestLane);
    const std::size_t lane = words * 8;
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (const std::byte* const end = bytes + lane; bytes != end; bytes += 8) {
      crc = __crc32cd(crc, word_at(bytes));
      second = __crc32cd(second, word_at(bytes + lane));
      third = __crc32cd(third, word_at(bytes + 2 * lane));
    }
    bytes += 2 * lane;
    length -= 3 * lane;
    crc = __crc32cd(0, carryless(crc, kShift[2 * words]) ^ carryless(second, kShift[words])) ^ third;
  }
  for (; length >= 8; bytes += 8, length -= 8) {
    crc = __crc32cd(crc, word_at(bytes));
  }
  for (; length > 0; ++bytes, --length) {
    crc = __crc32cb(crc, std::to_integer<std::uint8_t>(*bytes));
  }
  return crc;
}

std::uint32_t arm_copy(std::uint32_t crc, std::byte* to, const std::byte* from, std::size_t length) {
  constexpr std::size_t kBlock = 24 * kLongestLane;
  for (; length > kBlock; to += kBlock, from += kBlock, length -= kBlock) {
    std::memcpy(to, from, kBlock);
    crc = three_streams(crc, to, kBlock);
  }
  std::memcpy(to, from, length);
  return three_streams(crc, to, length);
}

}  // namespace

const Kernel kArm{"armv8", [] { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }, three_streams, arm_copy};

}  // namespace waggle::packet::crc
#endif
