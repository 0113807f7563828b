// SPDX-License-Identifier: BSD-2-Clause
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "datapaths/packet/transport/crc32c_kernels.hpp"

#if defined(__GNUC__) && !defined(__clang__)
// GCC's own headers, until 13: bug 105593.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// Attributes instead of compiler flags: only these functions may use what the CPU may lack.
#define WAGGLE_SSE42 __attribute__((target("sse4.2,pclmul")))
#define WAGGLE_VECTOR __attribute__((target("sse4.2,pclmul,avx512f,avx512vl,vpclmulqdq")))

namespace waggle::packet::crc {
namespace {

std::uint64_t word_at(const std::byte* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

/// The word at `from + at`, copied to `to + at` or not.
template <bool kCopies>
std::uint64_t take_word(std::byte* to, const std::byte* from, std::size_t at) {
  const std::uint64_t word = word_at(from + at);
  if constexpr (kCopies) {
    std::memcpy(to + at, &word, sizeof(word));
  }
  return word;
}

WAGGLE_SSE42 std::uint32_t one_stream(std::uint32_t crc, const std::byte* bytes, std::size_t length) {
  std::uint64_t wide = crc;
  for (; length >= 8; bytes += 8, length -= 8) {
    wide = _mm_crc32_u64(wide, word_at(bytes));
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; length > 0; ++bytes, --length) {
    crc = _mm_crc32_u8(crc, std::to_integer<std::uint8_t>(*bytes));
  }
  return crc;
}

WAGGLE_SSE42 std::uint64_t carryless(std::uint64_t a, std::uint32_t b) {
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_clmulepi64_si128(
      _mm_cvtsi64_si128(static_cast<std::int64_t>(a)), _mm_cvtsi64_si128(static_cast<std::int64_t>(b)), 0)));
}

/// The instruction takes three cycles but can start every cycle, so three streams run at once ("Fast CRC Computation
/// for iSCSI Polynomial Using CRC32 Instruction", Intel, 2011).
/// One store beside each of them makes the copy nearly free.
template <bool kCopies>
WAGGLE_SSE42 std::uint32_t three_streams(std::uint32_t crc, std::byte* to, const std::byte* from, std::size_t length) {
  while (length >= 48) {
    const std::size_t words = std::min(length / 24, kLongestLane);
    const std::size_t lane = words * 8;
    std::uint64_t first = crc;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t at = 0; at != lane; at += 8) {
      first = _mm_crc32_u64(first, take_word<kCopies>(to, from, at));
      second = _mm_crc32_u64(second, take_word<kCopies>(to, from, lane + at));
      third = _mm_crc32_u64(third, take_word<kCopies>(to, from, 2 * lane + at));
    }
    from += 3 * lane;
    if constexpr (kCopies) {
      to += 3 * lane;
    }
    length -= 3 * lane;
    const std::uint64_t shifted = carryless(first, kShift[2 * words]) ^ carryless(second, kShift[words]);
    crc = static_cast<std::uint32_t>(_mm_crc32_u64(0, shifted) ^ third);
  }
  if constexpr (kCopies) {
    std::memcpy(to, from, length);
  }
  return one_stream(crc, from, length);
}

std::uint32_t sse42_update(std::uint32_t crc, const std::byte* bytes, std::size_t length) {
  return three_streams<false>(crc, nullptr, bytes, length);
}

/// Moves the 128-bit lanes of `sum` over the distance of `constant` and adds `next`. The constant for D bytes is
/// x^(8D + 31) for the low half of a lane and x^(8D - 33) for the high one.
#define WAGGLE_FOLD(sum, constant, next)                                   \
  _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(sum, constant, 0x00), \
                            _mm512_clmulepi64_epi128(sum, constant, 0x11), next, 0x96)

/// Folding after "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009), on 512 bits
/// with four accumulators. Wide stores beside the multiplications make the copy nearly free.
template <bool kCopies>
WAGGLE_VECTOR std::uint32_t vector_pass(std::uint32_t crc, std::byte* to, const std::byte* from, std::size_t length) {
  static_assert(power(16 * 8 + 31) == 0xF20C0DFE && power(16 * 8 - 33) == 0x493C7D27);
  if (length < 256) {
    return three_streams<kCopies>(crc, to, from, length);
  }
  const auto take = [&](std::size_t at) WAGGLE_VECTOR {
    const __m512i bytes = _mm512_loadu_si512(from + at);
    if constexpr (kCopies) {
      _mm512_storeu_si512(to + at, bytes);
    }
    return bytes;
  };
  const auto advance = [&](std::size_t bytes) {
    from += bytes;
    if constexpr (kCopies) {
      to += bytes;
    }
  };
  __m512i a = _mm512_xor_si512(take(0), _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(crc))));
  __m512i b = take(64);
  __m512i c = take(128);
  __m512i d = take(192);
  advance(256);
  length -= 256;
  const __m512i by_256 =
      _mm512_setr_epi64(0xDCB17AA4, 0xB9E02B86, 0xDCB17AA4, 0xB9E02B86, 0xDCB17AA4, 0xB9E02B86, 0xDCB17AA4, 0xB9E02B86);
  static_assert(power(256 * 8 + 31) == 0xDCB17AA4 && power(256 * 8 - 33) == 0xB9E02B86);
  for (; length >= 256; length -= 256) {
    a = WAGGLE_FOLD(a, by_256, take(0));
    b = WAGGLE_FOLD(b, by_256, take(64));
    c = WAGGLE_FOLD(c, by_256, take(128));
    d = WAGGLE_FOLD(d, by_256, take(192));
    advance(256);
  }
  const __m512i by_64 =
      _mm512_setr_epi64(0x740EEF02, 0x9E4ADDF8, 0x740EEF02, 0x9E4ADDF8, 0x740EEF02, 0x9E4ADDF8, 0x740EEF02, 0x9E4ADDF8);
  static_assert(power(64 * 8 + 31) == 0x740EEF02 && power(64 * 8 - 33) == 0x9E4ADDF8);
  const __m512i by_128 =
      _mm512_setr_epi64(0x6992CEA2, 0x0D3B6092, 0x6992CEA2, 0x0D3B6092, 0x6992CEA2, 0x0D3B6092, 0x6992CEA2, 0x0D3B6092);
  static_assert(power(128 * 8 + 31) == 0x6992CEA2 && power(128 * 8 - 33) == 0x0D3B6092);
  b = WAGGLE_FOLD(a, by_64, b);
  d = WAGGLE_FOLD(c, by_64, d);
  d = WAGGLE_FOLD(b, by_128, d);
  for (; length >= 64; length -= 64) {
    d = WAGGLE_FOLD(d, by_64, take(0));
    advance(64);
  }
  // 512 bits to 128: the first three lanes move over 48, 32 and 16 bytes.
  const __m512i to_last =
      _mm512_setr_epi64(0x1C291D04, 0xDDC0152B, 0x3DA6D0CB, 0xBA4FC28E, 0xF20C0DFE, 0x493C7D27, 0, 0);
  static_assert(power(48 * 8 + 31) == 0x1C291D04 && power(48 * 8 - 33) == 0xDDC0152B);
  static_assert(power(32 * 8 + 31) == 0x3DA6D0CB && power(32 * 8 - 33) == 0xBA4FC28E);
  const __m512i folded =
      _mm512_xor_si512(_mm512_clmulepi64_epi128(d, to_last, 0x00), _mm512_clmulepi64_epi128(d, to_last, 0x11));
  const __m128i last =
      _mm_xor_si128(_mm_ternarylogic_epi64(_mm512_castsi512_si128(folded), _mm512_extracti32x4_epi32(folded, 1),
                                           _mm512_extracti32x4_epi32(folded, 2), 0x96),
                    _mm512_extracti32x4_epi32(d, 3));
  crc = static_cast<std::uint32_t>(_mm_crc32_u64(_mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(last))),
                                                 static_cast<std::uint64_t>(_mm_extract_epi64(last, 1))));
  if constexpr (kCopies) {
    std::memcpy(to, from, length);
  }
  return one_stream(crc, from, length);
}

std::uint32_t vector_update(std::uint32_t crc, const std::byte* bytes, std::size_t length) {
  return vector_pass<false>(crc, nullptr, bytes, length);
}

bool has_sse42() {
  return __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0;
}

bool has_vector() {
  return has_sse42() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("vpclmulqdq") != 0;
}

}  // namespace

const Kernel kSse42{"sse4.2", has_sse42, sse42_update, three_streams<true>};
const Kernel kVector{"vpclmulqdq", has_vector, vector_update, vector_pass<true>};

}  // namespace waggle::packet::crc
#endif
