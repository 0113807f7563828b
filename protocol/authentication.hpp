// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

#include "protocol/messages.hpp"

/// Proof of a shared secret without sending it. Each side's proof is HMAC-SHA-256 (RFC 2104), keyed with the token,
/// over a label of its role and the whole HELLO and CHALLENGE messages. Those hold a fresh nonce of each side, so that
/// no old proof works again, and the versions and features, so that nobody between can talk the two down.
namespace waggle::protocol {

enum class Role : std::uint8_t { client, server };

Mac proof_of(Role role, std::string_view token, ByteView hello, ByteView challenge);

/// Compares in a time that does not depend on the bytes.
bool equal(const Mac& a, const Mac& b);

/// Fresh random bytes from the kernel (getrandom).
Result<Nonce> random_nonce();

}  // namespace waggle::protocol
