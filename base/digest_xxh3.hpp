// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>

/// Private to base/digest*.cpp: XXH3-128 compiled once per vector width. The files that are compiled for wider vectors
/// include nothing else, so that no inline function of a library header gets instructions which the CPU may lack.
namespace waggle::xxh3 {

/// Room for XXH3_state_t of any width.
struct alignas(64) Stream {
  unsigned char room[640];
};

/// One build of XXH3-128. Digests are 16 bytes in canonical (big-endian) order.
struct Kernel {
  const char* vectors;
  void (*hash)(const void* bytes, std::size_t length, void* digest);
  void (*reset)(Stream& stream);
  void (*update)(Stream& stream, const void* bytes, std::size_t length);
  void (*finish)(const Stream& stream, void* digest);
};

extern const Kernel kBase;  ///< what every CPU of this architecture has: SSE2, NEON or scalar
#if defined(__x86_64__)
extern const Kernel kAvx2;
extern const Kernel kAvx512;
#endif

/// The builds that this CPU can run, narrowest first; ends with nullptr.
const Kernel* const* supported();

}  // namespace waggle::xxh3
