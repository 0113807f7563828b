// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/server_session.hpp"

#include <fmt/format.h>

#include <utility>

namespace waggle::protocol {
namespace {

/// An unfinished upload below this size is not worth keeping when its connection breaks: sending it again is cheap.
constexpr std::uint64_t kWorthResuming = 1024 * 1024;

}  // namespace

ServerSession::ServerSession(FileService& files, const ServerOptions& options, const Agreement& agreement)
    : files_(files),
      options_(options),
      kind_(agreement.digest),
      features_(agreement.features),
      digester_(agreement.digest) {}

ServerSession::~ServerSession() {
  for (auto& [handle, open] : handles_) {
    files_.close(open.file, features_.has("resume") && open.upload && open.size >= kWorthResuming);
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
  if (head.request == 0) {  // nobody could tell its ERROR from that of a broken connection
    return refuse(0, Error{Fault::protocol, fmt::format("{} has no request id", name(head.op))});
  }
  if (const auto feature = needed_feature(head.op, head.flags); !feature.empty() && !features_.has(feature)) {
    return refuse(head.request, Error{Fault::protocol,
                                      fmt::format("{} needs '{}', which was not agreed on", name(head.op), feature)});
  }
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
  const auto message = encode(out_, request, error_reply(error));
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

Result<FileShare> ServerSession::may_open(std::uint32_t handle, std::size_t descriptors) {
  if (handles_.contains(handle)) {
    return fail(Fault::usage, fmt::format("handle {} is open already", handle));
  }
  if (handles_.size() >= options_.most_handles) {
    return fail(Fault::busy,
                fmt::format("{} files are open on this connection, which is the server's limit", handles_.size()),
                "release some of them");
  }
  if (!options_.files) {
    return FileShare();
  }
  auto share = options_.files->take(account_, descriptors);
  if (!share) {
    return fail(Fault::busy, "too many files are open on the server", "release some, or try again later");
  }
  return share;
}

Result<> ServerSession::may_change() const {
  if (options_.read_only) {
    return fail(Fault::denied, "the server is read-only");
  }
  return {};
}

}  // namespace waggle::protocol
