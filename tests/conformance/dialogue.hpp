// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

#include "protocol/authentication.hpp"
#include "protocol/codec.hpp"
#include "tests/conformance/outlaw.hpp"

namespace waggle::conformance {

inline constexpr auto kAnswer = std::chrono::seconds(20);

/// The protocol in single steps, over an Outlaw: as far as its owner likes, in the order that its owner likes.
class Dialogue {
 public:
  explicit Dialogue(Outlaw& wire) : wire_(wire) {}

  /// HELLO, and no look at what comes.
  void greet() { wire_.say(encoded(protocol::Hello{.features = protocol::own_features()}, 0, 0)); }
  /// HELLO to WELCOME. False when the server does not let us in.
  bool introduce(std::string_view token) {
    const Bytes hello = encoded(protocol::Hello{.features = protocol::own_features()}, 0, 0);
    wire_.say(hello);
    const auto challenge = answer();
    if (!challenge || challenge->head.op != protocol::Op::challenge) {
      return false;
    }
    const auto mac = protocol::proof_of(protocol::Role::client, token, hello, heard_.message);
    wire_.say(encoded(protocol::Proof{mac}, 0, 0));
    const auto welcome = answer();
    return welcome && welcome->head.op == protocol::Op::welcome;
  }

  /// Sends a request and returns its id.
  template <typename Body>
  std::uint32_t ask(const Body& body, std::uint8_t flags = 0, const ExtentId* announces = nullptr) {
    wire_.say(encoded(body, ++last_, flags), announces);
    return last_;
  }
  /// The next answer; its views hold until the one after.
  std::optional<protocol::AnyMessage> answer() {
    auto heard = wire_.hear(kAnswer * patience());
    if (!heard) {
      return {};
    }
    heard_ = *std::move(heard);
    auto message = protocol::decode_any(heard_.message);
    return message ? std::optional(*std::move(message)) : std::nullopt;
  }
  /// Whether the next answer is this one.
  bool answers(protocol::Op op) {
    const auto got = answer();
    return got && got->head.op == op;
  }

  bool create(std::uint32_t handle, std::string_view path, std::uint64_t size) {
    ask(protocol::Create{handle, size, 0644, path});
    return answers(protocol::Op::attributes);
  }
  /// Announces a WRITE of all of `id`.
  std::uint32_t announce(const ExtentId& id) { return ask(protocol::Write{id}, 0, &id); }
  /// DONE for a WRITE whose payload was `content`; true when the server has taken it.
  bool done(std::uint32_t write, ByteView content) {
    ExtentDigester digester(DigestKind::xxh3_128);
    digester.update(content);
    wire_.say(encoded(protocol::Done{0, content.size(), 0, {16, digester.finish()}, {}}, write, 0));
    return answers(protocol::Op::ok);
  }
  bool commit(std::uint32_t handle) {
    ask(protocol::Commit{handle});
    return answers(protocol::Op::ok);
  }
  /// CREATE and all that belongs to it but COMMIT.
  bool upload(std::uint32_t handle, std::string_view path, ByteView content) {
    const ExtentId id{handle, 0, content.size()};
    if (!create(handle, path, content.size())) {
      return false;
    }
    const auto write = announce(id);
    wire_.pay(id, 0, content);
    return done(write, content);
  }

  Outlaw& wire() { return wire_; }

 private:
  template <typename Body>
  Bytes encoded(const Body& body, std::uint32_t request, std::uint8_t flags) {
    const auto message = protocol::encode(buffer_, request, body, flags);
    return {message->begin(), message->end()};
  }

  Outlaw& wire_;
  protocol::MessageBuffer buffer_;
  std::uint32_t last_ = 0;
  Heard heard_;
};

}  // namespace waggle::conformance
