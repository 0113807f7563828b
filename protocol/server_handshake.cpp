// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/server_handshake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/authentication.hpp"

namespace waggle::protocol {
namespace {

/// Those of ours that the peer has too. The names are our own: the peer's go away with its message.
Features in_common(const Features& theirs) {
  Features both;
  for (std::size_t i = 0; i < own_features().count; ++i) {
    const std::string_view ours = own_features().names[i];
    if (theirs.has(ours)) {
      both.names[both.count++] = ours;
    }
  }
  return both;
}

}  // namespace

ServerHandshake::ServerHandshake(const ServerOptions& options, Result<Nonce> nonce)
    : options_(options), nonce_(std::move(nonce)) {}

ServerHandshake::Answer ServerHandshake::on_message(ByteView message, bool announces) {
  if (stage_ == Stage::closed) {
    return {Verdict::refuse, {}};
  }
  const auto head = decode_head(message);
  if (!head) {
    return refuse(0, head.error());
  }
  if (announces) {
    return refuse(head->request, Error{Fault::protocol, fmt::format("payload was announced by {}", name(head->op))});
  }
  const bool in_turn =
      (stage_ == Stage::hello && head->op == Op::hello) || (stage_ == Stage::proof && head->op == Op::proof);
  if (!in_turn) {
    return refuse(head->request, Error{Fault::protocol, fmt::format("{} is not allowed now", name(head->op))});
  }
  if (head->request != 0) {
    return refuse(head->request, Error{Fault::protocol, fmt::format("{} has a request id", name(head->op))});
  }
  return head->op == Op::hello ? hello(*head, message) : proof(*head, message);
}

ServerHandshake::Answer ServerHandshake::hello(const Head& head, ByteView message) {
  const auto body = decode<Hello>(head, message);
  if (!body) {
    return refuse(head.request, body.error());
  }
  if (body->lowest > kVersion || body->highest < kVersion) {
    return refuse(head.request, Error{Fault::protocol,
                                      fmt::format("the server speaks protocol version {}, the client {} to {}",
                                                  kVersion, body->lowest, body->highest),
                                      "use the same release on both sides"});
  }
  if (!nonce_) {
    return refuse(head.request, nonce_.error());
  }
  agreement_ = {body->digest, in_common(body->features)};
  if (const auto feature = needed_feature(body->digest); !agreement_.features.has(feature)) {
    return refuse(0, Error{Fault::protocol, fmt::format("HELLO chooses '{}', which was not agreed on", feature)});
  }
  const Challenge challenge{.nonce = *nonce_, .features = agreement_.features};
  const auto reply = encode(out_, head.request, challenge, options_.token.empty() ? flag::kOpen : std::uint8_t{0});
  if (!reply) {
    return refuse(head.request, reply.error());
  }
  hello_.assign(message.begin(), message.end());
  challenge_.assign(reply->begin(), reply->end());
  stage_ = Stage::proof;
  return {Verdict::wait, *reply};
}

ServerHandshake::Answer ServerHandshake::proof(const Head& head, ByteView message) {
  const auto body = decode<Proof>(head, message);
  if (!body) {
    return refuse(head.request, body.error());
  }
  if (!options_.token.empty() && !equal(body->mac, proof_of(Role::client, options_.token, hello_, challenge_))) {
    return refuse(head.request, Error{Fault::denied, "the server refuses the token", "give both sides the same token"});
  }
  const Welcome welcome{.mac = proof_of(Role::server, options_.token, hello_, challenge_),
                        .most_handles = static_cast<std::uint32_t>(options_.most_handles)};
  const auto reply = encode(out_, head.request, welcome, options_.read_only ? flag::kReadOnly : std::uint8_t{0});
  if (!reply) {
    return refuse(head.request, reply.error());
  }
  stage_ = Stage::admitted;
  return {Verdict::admit, *reply};
}

ByteView ServerHandshake::refusal(const Error& why) {
  return refuse(0, why).reply;
}

ServerHandshake::Answer ServerHandshake::refuse(std::uint32_t request, Error why) {
  const auto reply = encode(out_, request, error_reply(why));
  failure_ = std::move(why);
  stage_ = Stage::closed;
  return {Verdict::refuse, reply.value_or(ByteView{})};
}

}  // namespace waggle::protocol
