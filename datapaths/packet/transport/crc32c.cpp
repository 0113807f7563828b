// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/crc32c.hpp"

#include <bit>
#include <cstring>
#include <iterator>

#include "base/copy_meter.hpp"
#include "datapaths/packet/transport/crc32c_kernels.hpp"

namespace waggle::packet {
namespace crc {
namespace {

using Table = std::array<std::uint32_t, 256>;

/// [n][byte]: what a byte followed by n others contributes.
constexpr std::array<Table, 8> kTables = [] {
  std::array<Table, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1U) != 0 ? (crc >> 1U) ^ kPolynomial : crc >> 1U;
    }
    tables[0][byte] = crc;
  }
  for (std::size_t n = 1; n < tables.size(); ++n) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      tables[n][byte] = (tables[n - 1][byte] >> 8U) ^ tables[0][tables[n - 1][byte] & 0xFFU];
    }
  }
  return tables;
}();

std::uint32_t table_update(std::uint32_t crc, const std::byte* bytes, std::size_t length) {
  for (; length >= 8; bytes += 8, length -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, 8);
    if constexpr (std::endian::native == std::endian::big) {
      word = __builtin_bswap64(word);
    }
    word ^= crc;
    crc = 0;
    for (std::size_t n = 0; n < 8; ++n) {
      crc ^= kTables[7 - n][(word >> (8 * n)) & 0xFFU];
    }
  }
  for (; length > 0; ++bytes, --length) {
    crc = (crc >> 8U) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(*bytes)) & 0xFFU];
  }
  return crc;
}

std::uint32_t table_copy(std::uint32_t crc, std::byte* to, const std::byte* from, std::size_t length) {
  std::memcpy(to, from, length);
  return table_update(crc, to, length);
}

const Kernel* best() {
  const Kernel* const candidates[] = {
#if defined(__x86_64__)
      &kVector, &kSse42,
#elif defined(__aarch64__)
      &kArm,
#endif
      &kTable};
  const auto* kernel = std::begin(candidates);
  while (!(*kernel)->supported()) {
    ++kernel;
  }
  return *kernel;
}

const Kernel& chosen() {
  static const Kernel* const kernel = best();
  return *kernel;
}

}  // namespace

const Kernel kTable{"table", [] { return true; }, table_update, table_copy};

}  // namespace crc

std::uint32_t crc32c(std::uint32_t crc, ByteView bytes) {
  return ~crc::chosen().update(~crc, bytes.data(), bytes.size());
}

std::uint32_t copy_payload_crc32c(ByteSpan to, ByteView from, std::uint32_t crc) {
  user_copied_bytes.fetch_add(from.size(), std::memory_order_relaxed);
  return ~crc::chosen().copy(~crc, to.data(), from.data(), from.size());
}

}  // namespace waggle::packet
