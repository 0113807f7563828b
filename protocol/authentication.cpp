// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/authentication.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <vector>

namespace waggle::protocol {

Mac proof_of(Role role, std::string_view token, ByteView hello, ByteView challenge) {
  const std::string_view label = role == Role::client ? "waggle client 01" : "waggle server 01";
  std::vector<unsigned char> covered(label.begin(), label.end());
  for (const ByteView part : {hello, challenge}) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(part.data());
    covered.insert(covered.end(), bytes, bytes + part.size());
  }
  Mac mac{};
  unsigned int length = 0;
  // An empty key must not be a null pointer: HMAC() would take it as "keep the key of before".
  const void* key = token.empty() ? "" : token.data();
  ::HMAC(::EVP_sha256(), key, static_cast<int>(token.size()), covered.data(), covered.size(),
         reinterpret_cast<unsigned char*>(mac.data()), &length);
  return mac;
}

bool equal(const Mac& a, const Mac& b) {
  return ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<Nonce> random_nonce() {
  Nonce nonce;
  if (::getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size())) {
    return fail_errno("cannot get random bytes");
  }
  return nonce;
}

}  // namespace waggle::protocol
