// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/retry_token.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "base/byte_order.hpp"

namespace waggle::packet {
namespace {

constexpr std::size_t kTime = sizeof(Time);
constexpr std::size_t kMac = RetryTokens::kSize - kTime;

using Mac = std::array<std::byte, kMac>;

Mac authenticate(const std::array<std::byte, 32>& key, const Peer& client, std::uint64_t nonce, Time made) {
  std::array<std::byte, 4 + 2 + 8 + kTime> text{};
  store_be(&text[0], client.ip);
  store_be(&text[4], client.port);
  store_be(&text[6], nonce);
  store_be(&text[14], made);
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
  store_be(token.data(), now);
  std::ranges::copy(authenticate(key_, client, nonce, now), token.begin() + kTime);
  return token;
}

bool RetryTokens::valid(ByteView token, const Peer& client, std::uint64_t nonce, Time now) const {
  if (token.size() != kSize) {
    return false;
  }
  const auto made = load_be<Time>(token.data());
  const Mac expected = authenticate(key_, client, nonce, made);
  return CRYPTO_memcmp(expected.data(), token.data() + kTime, kMac) == 0 && made <= now && now - made <= kLifetime;
}

}  // namespace waggle::packet
