// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "datapaths/packet/transport/peer.hpp"
#include "datapaths/packet/transport/time.hpp"

namespace waggle::packet {

/// Proof that a client receives at the address it sends from, without server state (RFC 9000, 8.1): time and an
/// HMAC-SHA-256 over address, port, the client's nonce (its connection id) and that time, under a random key of the
/// process.
class RetryTokens {
 public:
  static constexpr std::size_t kSize = 40;
  using Token = std::array<std::byte, kSize>;
  static constexpr Time kLifetime = 10'000'000'000;  ///< ns

  RetryTokens();  ///< draws the key
  /// For reproducible simulations.
  explicit RetryTokens(const std::array<std::byte, 32>& key) : key_(key) {}

  Token make(const Peer& client, std::uint64_t nonce, Time now) const;
  /// Whether `token` was made for exactly this client and nonce, not longer than kLifetime ago; compares in constant
  /// time.
  bool valid(ByteView token, const Peer& client, std::uint64_t nonce, Time now) const;

 private:
  std::array<std::byte, 32> key_{};
};

}  // namespace waggle::packet
