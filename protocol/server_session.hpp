// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/handles.hpp"
#include "protocol/server.hpp"
#include "protocol/server_handshake.hpp"
#include "protocol/session.hpp"

namespace waggle::protocol {

/// The server's side of one connection after its handshake, sans-I/O: events in, one Action out. It calls the
/// FileService, and never a socket, a clock or a source of randomness. Requests are answered in their order. A request
/// that cannot be done is answered by ERROR; bytes that break the protocol close the connection with an ERROR that says
/// why.
class ServerSession {
 public:
  /// `files` and `options` must outlive the session.
  ServerSession(FileService& files, const ServerOptions& options, const Agreement& agreement);
  /// Closes what is still open; unfinished uploads that are worth it are kept for a later resume.
  ~ServerSession();
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  /// A message has arrived; `announced` is set when payload follows it.
  Action on_message(ByteView message, const std::optional<ExtentId>& announced);
  /// The payload that an expect action waited for has arrived.
  Action on_extent(const Arrival& arrival);
  /// The extent of a send_extent action has been sent.
  Action on_sent(const Sent& sent);

  std::uint64_t requests() const { return requests_; }
  /// Why the session closed.
  const Error& failure() const { return failure_; }

 private:
  enum class Stage { ready, payload, done, closed };

  template <typename Body>
  Action on(const Head& head, ByteView message, Action (ServerSession::*handler)(const Head&, const Body&));
  Action dispatch(const Head& head, ByteView message);

  Action lookup(const Head& head, const Lookup& body);
  Action getattr(const Head& head, const GetAttr& body);
  Action setattr(const Head& head, const SetAttr& body);
  Action read(const Head& head, const Read& body);
  Action write(const Head& head, const Write& body);
  Action done(const Head& head, const Done& body);
  Action create(const Head& head, const Create& body);
  Action commit(const Head& head, const Commit& body);
  Action mkdir(const Head& head, const MakeDirectory& body);
  Action remove(const Head& head, const Remove& body);
  Action rename(const Head& head, const Rename& body);
  Action truncate(const Head& head, const Truncate& body);
  Action readdir(const Head& head, const ReadDir& body);
  Action sync(const Head& head, const Sync& body);
  Action release(const Head& head, const Release& body);
  Action digest(const Head& head, const DigestRange& body);
  Action echo(const Head& head, const Echo& body);

  template <typename Body>
  Action reply(std::uint32_t request, const Body& body, std::uint8_t flags = 0);
  Action ok(const Head& head);
  Action ok_or_error(const Head& head, const Result<>& result);
  Action attributes_or_error(const Head& head, const Result<Attributes>& result);
  Action error(std::uint32_t request, const Error& error);
  Action refuse(std::uint32_t request, Error error);

  Result<OpenFile*> find(std::uint32_t handle);
  /// `descriptors`: how many the file will hold.
  Result<FileShare> may_open(std::uint32_t handle, std::size_t descriptors);
  Result<> may_change() const;
  static Result<> may_touch(const OpenFile& open, const ExtentId& extent);
  Result<> may_write(const ExtentId& extent);
  Result<Digest> root_digest(FileId file, const ExtentId& extent);
  Done done_after(const Sent& sent);
  bool ends_write(const Head& head, const Done& body) const;
  Result<> written(const Done& body);

  FileService& files_;
  const ServerOptions& options_;
  DigestKind kind_;
  Features features_;  ///< agreed on
  Stage stage_ = Stage::ready;
  std::uint64_t requests_ = 0;
  Error failure_;
  MessageBuffer out_;
  std::shared_ptr<FileAccount> account_ = std::make_shared<FileAccount>();
  HandleTable handles_;
  std::optional<ExtentId> announced_;  ///< by the message at hand

  /// The READ or WRITE whose extent is under way.
  struct Transfer {
    Head head;
    ExtentId extent;
    FileId file = 0;
    std::uint64_t version = 0;    ///< READ: before anything was sent
    std::optional<Digest> known;  ///< READ: root digest, when known beforehand
    Result<> sink;                ///< WRITE: why the payload was not stored
    Digest root;                  ///< WRITE: of what arrived
  };
  Transfer transfer_;
  ExtentDigester digester_;
  std::string text_;  ///< keeps the text of a DONE alive while it is encoded
};

template <typename Body>
Action ServerSession::reply(std::uint32_t request, const Body& body, std::uint8_t flags) {
  auto message = encode(out_, request, body, flags);
  if (!message) {
    return error(request, message.error());
  }
  return {.kind = Action::Kind::send, .message = *message};
}

}  // namespace waggle::protocol
