// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "datapaths/packet/transport/retry_token.hpp"
#include "datapaths/packet/transport/time.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {

/// How a connection begins: a client says HELLO until it is answered, once more at once with the token of a RETRY; a
/// server says ACCEPT once for each HELLO.
class Handshake {
 public:
  explicit Handshake(Time now) : started_(now), hello_at_(now) {}

  Time started() const { return started_; }
  /// When HELLO is said next.
  Time hello_at() const { return hello_at_; }
  /// The server wants to hear `token`, RetryTokens::kSize bytes of it.
  void on_retry(Time now, ByteView token);
  /// A HELLO is to be answered.
  void owe_accept() { accept_due_ = true; }
  bool accept_due() const { return accept_due_; }

  struct Packet {
    Type type = Type::hello;
    std::size_t length = 0;  ///< bytes, header included
  };
  /// What is to be said now: writes everything but the header.
  std::optional<Packet> next(Time now, const Terms& terms, ByteSpan room);

 private:
  Time started_;
  Time hello_at_;
  Time hello_wait_ = 50'000'000;
  std::optional<RetryTokens::Token> token_;
  bool accept_due_ = false;
};

}  // namespace waggle::packet
