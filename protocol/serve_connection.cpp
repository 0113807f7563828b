// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/codec.hpp"
#include "protocol/server_session.hpp"

namespace waggle::protocol {
namespace {

/// What the peer still sends is the channel's to drop, whose end sees to it that last words are read, and waits for
/// that as long as it likes and not as long as the peer does.
Result<> close_politely(Channel& channel, const Action& action) {
  channel.end_receiving();
  if (!action.message.empty()) {
    WAGGLE_TRY(channel.send(action.message));
    WAGGLE_TRY(channel.flush());
  }
  return {};
}

/// A peer whose bytes make no sense, or that stopped in the middle of them, is told so; without a request to name, the
/// id is 0. Nobody can be told that this did not work.
void tell(Channel& channel, const Error& why) {
  MessageBuffer buffer;
  if (why.fault != Fault::protocol && why.fault != Fault::timeout) {
    return;
  }
  if (const auto message = encode(buffer, 0, error_reply(why)); message && channel.send(*message)) {
    static_cast<void>(channel.flush());
  }
}

/// Does what the session asks until it waits for an event. False when the connection is over.
Result<bool> perform(Channel& channel, ServerSession& session, Action action) {
  while (true) {
    switch (action.kind) {
      case Action::Kind::none: return true;
      case Action::Kind::send: WAGGLE_TRY(channel.send(action.message)); return true;
      case Action::Kind::expect: WAGGLE_TRY(channel.expect(action.incoming)); return true;
      case Action::Kind::send_extent: {
        WAGGLE_LET(sent, channel.send(action.message, action.outgoing));
        action = session.on_sent(sent);
        break;
      }
      case Action::Kind::close: WAGGLE_TRY(close_politely(channel, action)); return false;
    }
  }
}

/// What the channel still expects points into the session and into its files: it ends first.
struct ReceivingEnds {
  Channel& channel;
  ~ReceivingEnds() { channel.end_receiving(); }
};

}  // namespace

Result<std::uint64_t> serve_connection(Channel& channel, FileService& files, const ServerOptions& options,
                                       const Agreement& agreement) {
  ServerSession session(files, options, agreement);
  const ReceivingEnds ends{channel};
  while (true) {
    const auto event = channel.next(std::chrono::nanoseconds(-1));
    if (!event) {
      tell(channel, event.error());
      return std::unexpected(event.error());
    }
    Action action;
    switch (event->kind) {
      case Event::Kind::closed: return session.requests();
      case Event::Kind::nothing: break;
      case Event::Kind::message:
        action = session.on_message(event->message,
                                    event->announces ? std::optional(event->announced) : std::optional<ExtentId>());
        break;
      case Event::Kind::extent: action = session.on_extent(event->arrival); break;
    }
    WAGGLE_LET(open, perform(channel, session, action));
    if (!open) {
      return std::unexpected(session.failure());
    }
  }
}

}  // namespace waggle::protocol
