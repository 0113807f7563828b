// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/server_session.hpp"

#include <fmt/format.h>

#include <utility>

#include "protocol/authentication.hpp"

namespace waggle::protocol {
namespace {

/// An unfinished upload below this size is not worth keeping when its connection breaks: sending it again is cheap.
constexpr std::uint64_t kWorthResuming = 1024 * 1024;

std::string_view shortened(const std::string& text) {
  return std::string_view(text).substr(0, kMaxText);
}

}  // namespace

ServerSession::ServerSession(FileService& files, const ServerOptions& options, const Nonce& nonce)
    : files_(files), options_(options), nonce_(nonce) {}

ServerSession::~ServerSession() {
  for (auto& [handle, open] : handles_) {
    files_.close(open.file, open.upload && open.size >= kWorthResuming);
  }
}

template <typename Body>
Action ServerSession::on(const Head& head, ByteView message,
                         Action (ServerSession::*handler)(const Head&, const Body&)) {
  auto body = decode<Body>(head, message);
  if (!body) {
    return refuse(head.request, std::move(body).error());
  }
  return (this->*handler)(head, *body);
}

Action ServerSession::on_message(ByteView message, const std::optional<ExtentId>& announced) {
  if (stage_ == Stage::closed) {
    return {.kind = Action::Kind::close};
  }
  const auto head = decode_head(message);
  if (!head) {
    return refuse(0, head.error());
  }
  if (announced && head->op != Op::write) {
    return refuse(head->request, Error{Fault::protocol, fmt::format("payload was announced by {}", name(head->op))});
  }
  announced_ = announced;
  switch (stage_) {
    case Stage::hello:
      if (head->op == Op::hello) {
        hello_.assign(message.begin(), message.end());
        return on(*head, message, &ServerSession::hello);
      }
      break;
    case Stage::proof:
      if (head->op == Op::proof) {
        return on(*head, message, &ServerSession::proof);
      }
      break;
    case Stage::done:
      if (head->op == Op::done) {
        return on(*head, message, &ServerSession::done);
      }
      break;
    case Stage::ready: ++requests_; return dispatch(*head, message);
    case Stage::payload:
    case Stage::closed: break;
  }
  return refuse(head->request, Error{Fault::protocol, fmt::format("{} is not allowed now", name(head->op))});
}

Action ServerSession::dispatch(const Head& head, ByteView message) {
  switch (head.op) {
    case Op::lookup: return on(head, message, &ServerSession::lookup);
    case Op::getattr: return on(head, message, &ServerSession::getattr);
    case Op::setattr: return on(head, message, &ServerSession::setattr);
    case Op::read: return on(head, message, &ServerSession::read);
    case Op::write: return on(head, message, &ServerSession::write);
    case Op::create: return on(head, message, &ServerSession::create);
    case Op::commit: return on(head, message, &ServerSession::commit);
    case Op::mkdir: return on(head, message, &ServerSession::mkdir);
    case Op::remove: return on(head, message, &ServerSession::remove);
    case Op::rename: return on(head, message, &ServerSession::rename);
    case Op::truncate: return on(head, message, &ServerSession::truncate);
    case Op::readdir: return on(head, message, &ServerSession::readdir);
    case Op::sync: return on(head, message, &ServerSession::sync);
    case Op::release: return on(head, message, &ServerSession::release);
    case Op::digest: return on(head, message, &ServerSession::digest);
    case Op::echo: return on(head, message, &ServerSession::echo);
    default: return refuse(head.request, Error{Fault::protocol, fmt::format("{} is not a request", name(head.op))});
  }
}

Action ServerSession::hello(const Head& head, const Hello& body) {
  if (body.lowest > kVersion || body.highest < kVersion) {
    return refuse(head.request, Error{Fault::protocol,
                                      fmt::format("the server speaks protocol version {}, the client {} to {}",
                                                  kVersion, body.lowest, body.highest),
                                      "use the same release on both sides"});
  }
  kind_ = body.digest;
  digester_ = ExtentDigester(kind_);
  const Challenge challenge{.nonce = nonce_, .features = own_features()};
  const Action action = reply(head.request, challenge, options_.token.empty() ? flag::kOpen : std::uint8_t{0});
  challenge_.assign(action.message.begin(), action.message.end());
  stage_ = Stage::proof;
  return action;
}

Action ServerSession::proof(const Head& head, const Proof& body) {
  if (!options_.token.empty() && !equal(body.mac, proof_of(Role::client, options_.token, hello_, challenge_))) {
    return refuse(head.request, Error{Fault::denied, "the server refuses the token", "give both sides the same token"});
  }
  stage_ = Stage::ready;
  const Welcome welcome{.mac = proof_of(Role::server, options_.token, hello_, challenge_),
                        .most_handles = static_cast<std::uint32_t>(options_.most_handles)};
  return reply(head.request, welcome, options_.read_only ? flag::kReadOnly : std::uint8_t{0});
}

Action ServerSession::ok(const Head& head) {
  return (head.flags & flag::kQuiet) != 0 ? Action{} : reply(head.request, Ok{});
}

Action ServerSession::ok_or_error(const Head& head, const Result<>& result) {
  return result ? ok(head) : error(head.request, result.error());
}

Action ServerSession::attributes_or_error(const Head& head, const Result<Attributes>& result) {
  return result ? reply(head.request, AttributesReply{*result}) : error(head.request, result.error());
}

Action ServerSession::error(std::uint32_t request, const Error& error) {
  const ErrorReply body{wire_code(error.fault), shortened(error.what), shortened(error.hint)};
  const auto message = encode(out_, request, body);
  return {.kind = Action::Kind::send, .message = message ? *message : ByteView{}};
}

Action ServerSession::refuse(std::uint32_t request, Error why) {
  Action action = error(request, why);
  action.kind = Action::Kind::close;
  failure_ = std::move(why);
  stage_ = Stage::closed;
  return action;
}

Result<OpenFile*> ServerSession::find(std::uint32_t handle) {
  const auto at = handles_.find(handle);
  if (at == handles_.end()) {
    return fail(Fault::usage, fmt::format("handle {} is not open", handle));
  }
  return &at->second;
}

Result<> ServerSession::may_open(std::uint32_t handle) const {
  if (handles_.contains(handle)) {
    return fail(Fault::usage, fmt::format("handle {} is open already", handle));
  }
  if (handles_.size() >= options_.most_handles) {
    return fail(Fault::busy,
                fmt::format("{} files are open on this connection, which is the server's limit", handles_.size()),
                "release some of them");
  }
  return {};
}

Result<> ServerSession::may_change() const {
  if (options_.read_only) {
    return fail(Fault::denied, "the server is read-only");
  }
  return {};
}

}  // namespace waggle::protocol
