// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The body of one build of XXH3; included by one file per vector width, which defines WAGGLE_XXH3_KERNEL (the name of
// the Kernel) and is compiled with that width's flags.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/digest_xxh3.hpp"

namespace waggle::xxh3 {
namespace {

static_assert(sizeof(XXH3_state_t) <= sizeof(Stream) && alignof(XXH3_state_t) <= alignof(Stream));

constexpr const char* vectors_name() {
#if XXH_VECTOR == 3
  return "avx512";
#elif XXH_VECTOR == 2
  return "avx2";
#elif XXH_VECTOR == 1
  return "sse2";
#elif XXH_VECTOR == 4
  return "neon";
#else
  return "scalar";
#endif
}

XXH3_state_t* state_of(Stream& stream) {
  return reinterpret_cast<XXH3_state_t*>(stream.room);
}

void hash(const void* bytes, std::size_t length, void* digest) {
  XXH128_canonicalFromHash(static_cast<XXH128_canonical_t*>(digest), XXH3_128bits(bytes, length));
}

void reset(Stream& stream) {
  XXH3_128bits_reset(state_of(stream));
}

void update(Stream& stream, const void* bytes, std::size_t length) {
  XXH3_128bits_update(state_of(stream), bytes, length);
}

void finish(const Stream& stream, void* digest) {
  const auto* state = reinterpret_cast<const XXH3_state_t*>(stream.room);
  XXH128_canonicalFromHash(static_cast<XXH128_canonical_t*>(digest), XXH3_128bits_digest(state));
}

}  // namespace

const Kernel WAGGLE_XXH3_KERNEL{vectors_name(), hash, reset, update, finish};

}  // namespace waggle::xxh3
