// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/client_session.hpp"
#include "protocol/server_handshake.hpp"
#include "protocol/server_session.hpp"
#include "protocol/testing/memory_files.hpp"

/// For tests only: the server's side of one connection without a channel, fed by hand.
namespace waggle::protocol::testing {

using Bytes = std::vector<std::byte>;

/// All of it that byte.
inline Nonce nonce_of(unsigned char byte) {
  Nonce nonce;
  nonce.fill(std::byte{byte});
  return nonce;
}

inline Bytes copy(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

/// A ServerHandshake and the ServerSession that follows it, as one.
class Served {
 public:
  Served(FileService& files, const ServerOptions& options, const Nonce& nonce)
      : files_(files), options_(options), handshake_(options, nonce) {}

  Action on_message(ByteView message, const std::optional<ExtentId>& announced) {
    if (session_) {
      return session_->on_message(message, announced);
    }
    const auto answer = handshake_.on_message(message, announced.has_value());
    if (answer.verdict == Admission::Verdict::admit) {
      session_.emplace(files_, options_, handshake_.agreement());
    }
    const bool refused = answer.verdict == Admission::Verdict::refuse;
    return {.kind = refused ? Action::Kind::close : Action::Kind::send, .message = answer.reply};
  }
  Action on_extent(const Arrival& arrival) { return session_->on_extent(arrival); }
  Action on_sent(const Sent& sent) { return session_->on_sent(sent); }

  bool authenticated() const { return session_.has_value(); }
  std::uint64_t requests() const { return session_ ? session_->requests() : 0; }
  const Error& failure() const { return session_ ? session_->failure() : handshake_.failure(); }
  const Agreement& agreement() const { return handshake_.agreement(); }

 private:
  FileService& files_;
  const ServerOptions& options_;
  ServerHandshake handshake_;
  std::optional<ServerSession> session_;
};

/// A server by itself, fed by hand.
struct Peer {
  explicit Peer(ServerOptions with = {}, unsigned char nonce = 2)
      : options(std::move(with)), session(files, options, nonce_of(nonce)) {}

  template <typename Body>
  Action tell(const Body& body, std::uint8_t flags = 0, std::optional<ExtentId> announced = {},
              std::uint32_t request = Body::kOp < Op::lookup ? 0 : 5) {
    const auto message = encode(buffer, request, body, flags);
    REQUIRE(message);
    return session.on_message(*message, announced);
  }

  void authenticate() {
    REQUIRE(tell(Hello{.features = own_features()}).kind == Action::Kind::send);
    REQUIRE(tell(Proof{}).kind == Action::Kind::send);
    REQUIRE(session.authenticated());
  }

  std::shared_ptr<Tree> tree = std::make_shared<Tree>();
  MemoryFiles files{tree};
  ServerOptions options;
  Served session;
  MessageBuffer buffer;
};

/// The ERROR in an action, as "fault: text"; what else it is otherwise.
inline std::string error_in(const Action& action) {
  const auto any = decode_any(action.message);
  if (!any || any->head.op != Op::error) {
    return any ? std::string(name(any->head.op)) : "nothing";
  }
  const auto& body = std::get<ErrorReply>(any->body);
  return std::string(name(fault_of_code(body.code))) + ": " + std::string(body.what);
}

/// The action ends the connection, or leaves it open, with that ERROR.
inline void closes(const Action& action, const std::string& why) {
  CHECK(action.kind == Action::Kind::close);
  CHECK(error_in(action) == why);
}

inline void fails(const Action& action, const std::string& why) {
  CHECK(action.kind == Action::Kind::send);
  CHECK(error_in(action) == why);
}

/// Until the client is let in, or learns that it is not.
inline Result<> shake_hands(ClientSession& client, Served& server) {
  Action action = client.start();
  while (!client.ready()) {
    const Action answer = server.on_message(action.message, {});
    WAGGLE_LET(next, client.on_handshake(answer.message));
    action = next;
  }
  return {};
}

}  // namespace waggle::protocol::testing
