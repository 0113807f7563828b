// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <vector>

#include "protocol/codec.hpp"
#include "protocol/server.hpp"

namespace waggle::protocol {

/// What a handshake has settled for the connection that follows it.
struct Agreement {
  DigestKind digest = DigestKind::xxh3_128;
  Features features;  ///< those that both sides have
};

/// The server's side of a handshake, sans-I/O: HELLO is answered by CHALLENGE, the right PROOF by WELCOME, and anything
/// else by an ERROR. Until then this is all that a peer costs: about 1 KiB, and its HELLO.
class ServerHandshake final : public Admission {
 public:
  /// `nonce` must be fresh random bytes; without them everybody is refused. `options` must outlive the handshake.
  ServerHandshake(const ServerOptions& options, Result<Nonce> nonce);

  Answer on_message(ByteView message, bool announces) override;
  ByteView refusal(const Error& why) override;
  const Error& failure() const override { return failure_; }
  /// Once the peer is admitted.
  const Agreement& agreement() const { return agreement_; }

 private:
  enum class Stage { hello, proof, admitted, closed };

  Answer hello(const Head& head, ByteView message);
  Answer proof(const Head& head, ByteView message);
  Answer refuse(std::uint32_t request, Error why);

  const ServerOptions& options_;
  Result<Nonce> nonce_;
  Stage stage_ = Stage::hello;
  Agreement agreement_;
  std::vector<std::byte> hello_;      ///< transcript, for the proofs
  std::vector<std::byte> challenge_;  ///< transcript, for the proofs
  Error failure_;
  MessageBuffer out_;
};

}  // namespace waggle::protocol
