// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/server_session.hpp"

namespace waggle::protocol {
namespace {

/// How long a refused peer's last words are read, so that closing does not reset the connection under its ERROR.
constexpr std::chrono::milliseconds kLinger{200};

Result<> close_politely(Channel& channel, const Action& action) {
  if (!action.message.empty()) {
    WAGGLE_TRY(channel.send(action.message));
    WAGGLE_TRY(channel.flush());
    for (int messages = 0; messages < 16; ++messages) {
      const auto event = channel.next(kLinger);
      if (!event || event->kind != Event::Kind::message || event->announces) {
        break;
      }
    }
  }
  return {};
}

/// A channel whose mover cannot receive into nothing still shows short payload, which is then not looked at.
Result<> expect(Channel& channel, const Incoming& incoming) {
  auto expected = channel.expect(incoming);
  if (!expected && incoming.sink == Incoming::Sink::discard && incoming.id.length <= kMaxView) {
    Incoming shown = incoming;
    shown.sink = Incoming::Sink::view;
    shown.digest = nullptr;
    return channel.expect(shown);
  }
  return expected;
}

/// Does what the session asks until it waits for an event. False when the connection is over.
Result<bool> perform(Channel& channel, ServerSession& session, Action action) {
  while (true) {
    switch (action.kind) {
      case Action::Kind::none: return true;
      case Action::Kind::send: WAGGLE_TRY(channel.send(action.message)); return true;
      case Action::Kind::expect: WAGGLE_TRY(expect(channel, action.incoming)); return true;
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
    WAGGLE_LET(event, channel.next(std::chrono::nanoseconds(-1)));
    Action action;
    switch (event.kind) {
      case Event::Kind::closed: return session.requests();
      case Event::Kind::nothing: break;
      case Event::Kind::message:
        action = session.on_message(event.message,
                                    event.announces ? std::optional(event.announced) : std::optional<ExtentId>());
        break;
      case Event::Kind::extent: action = session.on_extent(event.arrival); break;
    }
    WAGGLE_LET(open, perform(channel, session, action));
    if (!open) {
      return std::unexpected(session.failure());
    }
  }
}

}  // namespace waggle::protocol
