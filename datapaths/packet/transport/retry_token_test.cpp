// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/retry_token.hpp"

#include <catch2/catch.hpp>

namespace waggle::packet {
namespace {

constexpr Peer kClient{.ip = 0x0A000001, .port = 40000};
constexpr std::uint64_t kNonce = 0x1122334455667788;
constexpr Time kMade = 5'000'000'000;

std::array<std::byte, 32> key_of(std::uint8_t byte) {
  std::array<std::byte, 32> key{};
  key.fill(std::byte{byte});
  return key;
}

TEST_CASE("a token is valid for its client, its nonce and ten seconds") {
  const RetryTokens tokens;
  const auto token = tokens.make(kClient, kNonce, kMade);
  CHECK(tokens.valid(token, kClient, kNonce, kMade));
  CHECK(tokens.valid(token, kClient, kNonce, kMade + RetryTokens::kLifetime));
  CHECK_FALSE(tokens.valid(token, kClient, kNonce, kMade + RetryTokens::kLifetime + 1));
  CHECK_FALSE(tokens.valid(token, kClient, kNonce, kMade - 1));
  CHECK_FALSE(tokens.valid(token, kClient, kNonce + 1, kMade));
  CHECK_FALSE(tokens.valid(token, {.ip = kClient.ip + 1, .port = kClient.port}, kNonce, kMade));
  CHECK_FALSE(tokens.valid(token, {.ip = kClient.ip, .port = 40001}, kNonce, kMade));
}

TEST_CASE("the Ethernet address is no part of the proof") {
  const RetryTokens tokens;
  const auto token = tokens.make(kClient, kNonce, kMade);
  Peer moved = kClient;
  moved.mac = {1, 2, 3, 4, 5, 6};
  CHECK(tokens.valid(token, moved, kNonce, kMade));
}

TEST_CASE("no bit of a token can change") {
  const RetryTokens tokens;
  auto token = tokens.make(kClient, kNonce, kMade);
  for (std::size_t bit = 0; bit < token.size() * 8; ++bit) {
    token[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    REQUIRE_FALSE(tokens.valid(token, kClient, kNonce, kMade + 1));
    token[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  CHECK_FALSE(tokens.valid(ByteView(token).first(39), kClient, kNonce, kMade));
  CHECK_FALSE(tokens.valid({}, kClient, kNonce, kMade));
}

TEST_CASE("keys differ between processes, and a given key gives the same token again") {
  CHECK(RetryTokens().make(kClient, kNonce, kMade) != RetryTokens().make(kClient, kNonce, kMade));
  const RetryTokens tokens(key_of(7));
  const auto token = tokens.make(kClient, kNonce, kMade);
  CHECK(token == RetryTokens(key_of(7)).make(kClient, kNonce, kMade));
  CHECK_FALSE(RetryTokens(key_of(8)).valid(token, kClient, kNonce, kMade));
}

TEST_CASE("a token is time and HMAC-SHA-256, byte for byte") {
  // Computed with Python: hmac.new(b"\7" * 32, bytes.fromhex("0a0000019c401122334455667788000000012a05f200"), "sha256")
  const auto token = RetryTokens(key_of(7)).make(kClient, kNonce, kMade);
  constexpr std::array<std::uint8_t, RetryTokens::kSize> expected{
      0x00, 0x00, 0x00, 0x01, 0x2A, 0x05, 0xF2, 0x00, 0x4E, 0xBA, 0x83, 0x5C, 0xBF, 0x35,
      0x0D, 0x6C, 0xBC, 0x91, 0x9F, 0x7C, 0x5E, 0x4B, 0x9C, 0x97, 0x66, 0x40, 0xBF, 0xF7,
      0xDD, 0xAE, 0x18, 0xA7, 0xFD, 0xDC, 0xC3, 0x90, 0x3E, 0x32, 0x07, 0x1F};
  for (std::size_t i = 0; i < token.size(); ++i) {
    CAPTURE(i);
    CHECK(std::to_integer<std::uint8_t>(token[i]) == expected[i]);
  }
}

}  // namespace
}  // namespace waggle::packet
