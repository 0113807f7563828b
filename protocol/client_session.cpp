// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/client_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/authentication.hpp"
#include "protocol/file_service.hpp"

namespace waggle::protocol {
namespace {

Error carried(const ErrorReply& body) {
  return Error{fault_of_code(body.code), std::string(body.what), std::string(body.hint)};
}

/// Of a READ whose answer ends at `end`.
std::uint64_t covered_by_read(std::uint64_t end) {
  return std::min(end, kMostReadAgain);
}

/// True when `reply` may answer `request`.
bool fits(Op request, Op reply) {
  switch (request) {
    case Op::lookup:
    case Op::getattr:
    case Op::setattr:
    case Op::create: return reply == Op::attributes;
    case Op::read: return reply == Op::extent || reply == Op::done;
    case Op::readdir: return reply == Op::entries;
    case Op::digest: return reply == Op::digests;
    case Op::echo: return reply == Op::echoed;
    default: return reply == Op::ok;
  }
}

}  // namespace

ClientSession::ClientSession(std::string token, DigestKind kind, const Nonce& nonce, Progress* progress)
    : token_(std::move(token)), kind_(kind), nonce_(nonce), empty_(digest_of(kind, {})), digester_(kind) {
  digester_.observe(progress);
}

Action ClientSession::start() {
  const auto message = encode(out_, 0, Hello{.digest = kind_, .nonce = nonce_, .features = own_features()});
  hello_.assign(message->begin(), message->end());
  stage_ = Stage::challenge;
  return {.kind = Action::Kind::send, .message = *message};
}

Result<Action> ClientSession::on_handshake(ByteView message) {
  WAGGLE_LET(head, decode_head(message));
  if (head.op == Op::error) {
    WAGGLE_LET(body, decode<ErrorReply>(head, message));
    return std::unexpected(carried(body));
  }
  if (stage_ == Stage::challenge && head.op == Op::challenge) {
    return challenge(head, message);
  }
  if (stage_ == Stage::welcome && head.op == Op::welcome) {
    return welcome(head, message);
  }
  return fail(Fault::protocol, fmt::format("the server sent {} out of turn", name(head.op)));
}

Result<Action> ClientSession::challenge(const Head& head, ByteView message) {
  WAGGLE_LET(body, decode<Challenge>(head, message));
  if (body.version != kVersion) {
    return fail(Fault::protocol,
                fmt::format("the server chose protocol version {}, which was not offered", body.version));
  }
  if ((head.flags & flag::kOpen) == 0 && token_.empty()) {
    return fail(Fault::denied, "the server asks for a token", "give the token that the server was started with");
  }
  for (std::size_t i = 0; i < body.features.count; ++i) {
    if (own_features().has(body.features.names[i])) {
      features_.emplace_back(body.features.names[i]);
    }
  }
  challenge_.assign(message.begin(), message.end());
  stage_ = Stage::welcome;
  WAGGLE_LET(proof, encode(out_, 0, Proof{proof_of(Role::client, token_, hello_, challenge_)}));
  return Action{.kind = Action::Kind::send, .message = proof};
}

Result<Action> ClientSession::welcome(const Head& head, ByteView message) {
  WAGGLE_LET(body, decode<Welcome>(head, message));
  if (!equal(body.mac, proof_of(Role::server, token_, hello_, challenge_))) {
    return fail(Fault::denied, "the server does not know the token, so it may not be the server that was meant",
                "give both sides the same token, or none to use an open server");
  }
  stage_ = Stage::ready;
  return Action{};
}

bool ClientSession::offers(std::string_view feature) const {
  return std::find(features_.begin(), features_.end(), feature) != features_.end();
}

template <typename Body>
Result<ByteView> ClientSession::request(const Body& body, std::uint8_t flags, std::uint64_t file_size) {
  if (const auto feature = needed_feature(Body::kOp, flags); !feature.empty() && !offers(feature)) {
    return fail(Fault::missing,
                fmt::format("the server does not offer '{}', which {} needs", feature, name(Body::kOp)));
  }
  last_request_ = last_request_ == UINT32_MAX ? 1 : last_request_ + 1;
  WAGGLE_LET(message, encode(out_, last_request_, body, flags));
  if constexpr (Body::kOp != Op::release) {
    Pending pending{last_request_, Body::kOp, (Body::kFlags & flags & flag::kQuiet) != 0, {}, file_size};
    if constexpr (requires { body.extent; }) {
      pending.extent = body.extent;
    }
    if constexpr (Body::kOp == Op::digest) {
      pending.covers = body.extent.length;
    } else if constexpr (Body::kOp == Op::read) {
      pending.covers = covered_by_read(body.extent.offset);
    }
    pending_.push_back(pending);
  }
  return message;
}

template Result<ByteView> ClientSession::request(const Lookup&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const GetAttr&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const SetAttr&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Read&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Write&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Create&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Commit&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const MakeDirectory&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Remove&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Rename&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Truncate&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const ReadDir&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Sync&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Release&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const DigestRange&, std::uint8_t, std::uint64_t);
template Result<ByteView> ClientSession::request(const Echo&, std::uint8_t, std::uint64_t);

std::uint64_t ClientSession::covered() const {
  std::uint64_t sum = 0;
  for (const Pending& pending : pending_) {
    sum += pending.covers;
    if (!pending.quiet) {
      break;
    }
  }
  return sum;
}

Result<ByteView> ClientSession::done(const Done& body) {
  return encode(out_, last_request_, body);
}

Result<ClientSession::Pending> ClientSession::match(const Head& head) {
  while (!pending_.empty()) {
    const Pending& oldest = pending_.front();
    if (oldest.request == head.request) {
      if (head.op != Op::error && !fits(oldest.op, head.op)) {
        return fail(Fault::protocol, fmt::format("the server answered {} with {}", name(oldest.op), name(head.op)));
      }
      return oldest;
    }
    if (!oldest.quiet) {
      break;
    }
    pending_.pop_front();
  }
  return fail(Fault::protocol, fmt::format("the server sent {} that answers nothing", name(head.op)));
}

Result<Reply> ClientSession::on_message(ByteView message, const std::optional<ExtentId>& announced) {
  WAGGLE_LET(head, decode_head(message));
  if (head.op == Op::error && head.request == 0) {
    WAGGLE_LET(body, decode<ErrorReply>(head, message));
    return std::unexpected(carried(body));
  }
  if (receiving_.announced && !receiving_.arrived) {
    return fail(Fault::protocol, fmt::format("the server sent {} instead of payload", name(head.op)));
  }
  WAGGLE_LET(pending, match(head));
  Reply reply{};
  reply.request = head.request;
  reply.of = pending.op;
  reply.op = head.op;
  reply.message = message;
  reply.asked = pending.extent;
  if (head.op == Op::extent) {
    WAGGLE_TRY(announce(pending, head, message, reply, announced));
    return reply;
  }
  if (announced) {
    return fail(Fault::protocol, fmt::format("the server announced payload by {}", name(head.op)));
  }
  WAGGLE_TRY(finish(pending, head, message, reply));
  pending_.pop_front();
  receiving_ = {};
  return reply;
}

Result<> ClientSession::announce(const Pending& pending, const Head& head, ByteView message, Reply& reply,
                                 const std::optional<ExtentId>& announced) {
  WAGGLE_LET(body, decode<Extent>(head, message));
  const bool asked = body.extent.handle == pending.extent.handle && body.extent.offset == pending.extent.offset &&
                     body.extent.length <= pending.extent.length;
  if (receiving_.announced || !asked || !announced || *announced != body.extent) {
    return fail(Fault::protocol, "the server announced payload that was not asked for");
  }
  if (body.known.size != 0 && body.known.size != digest_size(kind_)) {
    return fail(Fault::protocol, "the server sent a digest of another kind");
  }
  receiving_ = {.announced = true, .extent = body.extent, .known = body.known};
  digester_.reset();
  receiving_.verify_ns = digester_.nanoseconds();
  pending_.front().covers = covered_by_read(body.extent.offset + body.extent.length);
  reply.extent = body.extent;
  reply.last = false;
  return {};
}

Incoming ClientSession::expect(const ExtentId& extent, Incoming::Sink sink, SharedFd file) {
  return {.id = extent,
          .sink = sink,
          .file = std::move(file),
          .digest = sink == Incoming::Sink::view ? nullptr : &digester_};
}

Result<bool> ClientSession::on_extent(const Arrival& arrival) {
  if (!receiving_.announced || receiving_.arrived || arrival.id != receiving_.extent) {
    return fail(Fault::protocol, "payload arrived that was not announced");
  }
  if (arrival.view.size() == receiving_.extent.length) {
    digester_.update(arrival.view);
  }
  receiving_.arrived = true;
  receiving_.sink = arrival.sink;
  receiving_.root = digester_.finish();
  receiving_.verify_ns = digester_.nanoseconds() - receiving_.verify_ns;
  return receiving_.sink.has_value() && receiving_.known.size != 0 && receiving_.known.value == receiving_.root;
}

Result<> ClientSession::finish(const Pending& pending, const Head& head, ByteView message, Reply& reply) {
  switch (head.op) {
    case Op::error: {
      WAGGLE_LET(body, decode<ErrorReply>(head, message));
      reply.status = std::unexpected(carried(body));
      return {};
    }
    case Op::attributes: {
      WAGGLE_LET(body, decode<AttributesReply>(head, message));
      reply.attributes = body.attributes;
      return {};
    }
    case Op::done: return finish_extent(pending, head, message, reply);
    case Op::ok: {
      WAGGLE_TRY(decode<Ok>(head, message));
      return {};
    }
    default: return {};
  }
}

Result<> ClientSession::finish_extent(const Pending& pending, const Head& head, ByteView message, Reply& reply) {
  WAGGLE_LET(body, decode<Done>(head, message));
  const Receiving& got = receiving_;
  reply.extent = got.announced ? got.extent : ExtentId{pending.extent.handle, pending.extent.offset, 0};
  reply.version = body.version;
  reply.verify_ns = got.verify_ns;
  if (body.status != 0) {
    reply.status = fail(fault_of_code(body.status), std::string(body.what));
    return {};
  }
  if (body.valid != reply.extent.length || body.digest.size != digest_size(kind_)) {
    return fail(Fault::protocol, "the server's DONE does not fit the payload before it");
  }
  reply.digest = body.digest.value;
  const Digest& here = got.announced ? got.root : empty_;
  if (!got.sink) {
    reply.status = got.sink;
  } else if (here != body.digest.value) {
    reply.status =
        fail(Fault::corrupt, fmt::format("the payload arrived damaged: its digest is {} here and {} at the sender",
                                         here.hex(kind_), body.digest.value.hex(kind_)));
  }
  return {};
}

}  // namespace waggle::protocol
