// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/retry_token.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace waggle::packet {
namespace {

constexpr std::size_t kTime = 8;
constexpr std::size_t kMac = RetryTokens::kSize - kTime;

template <typename T>
void put(ByteSpan to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<std::byte>(value >> (8 * (sizeof(T) - 1 - i)));
  }
}

using Mac = std::array<std::byte, kMac>;

Mac authenticate(const std::array<std::byte, 32>& key, const Peer& client, std::uint64_t nonce, Time made) {
  std::array<std::byte, 4 + 2 + 8 + kTime> text{};
  put(std::span(text).subspan(0, 4), client.ip);
  put(std::span(text).subspan(4, 2), client.port);
  put(std::span(text).subspan(6, 8), nonce);
  put(std::span(text).subspan(14, kTime), made);
  Mac mac{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), reinterpret_cast<unsigned char*>(mac.data()), &length) == nullptr ||
      length != kMac) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256");
  }
  return mac;
}

}  // namespace

RetryTokens::RetryTokens() {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key_.data()), static_cast<int>(key_.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random numbers");
  }
}

RetryTokens::Token RetryTokens::make(const Peer& client, std::uint64_t nonce, Time now) const {
  Token token{};
  put(std::span(token).first(kTime), now);
  std::ranges::copy(authenticate(key_, client, nonce, now), token.begin() + kTime);
  return token;
}

bool RetryTokens::valid(ByteView token, const Peer& client, std::uint64_t nonce, Time now) const {
  if (token.size() != kSize) {
    return false;
  }
  Time made = 0;
  for (const std::byte byte : token.first(kTime)) {
    made = made << 8U | std::to_integer<Time>(byte);
  }
  const Mac expected = authenticate(key_, client, nonce, made);
  return CRYPTO_memcmp(expected.data(), token.data() + kTime, kMac) == 0 && made <= now && now - made <= kLifetime;
}

}  // namespace waggle::packet
