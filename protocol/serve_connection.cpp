// SPDX-License-Identifier: BSD-2-Clause
#include "protocol/codec.hpp"
#include "protocol/server_session.hpp"

namespace waggle::protocol {
namespace {

/// How long a refused peer is listened to, so that closing does not reset the connection under its ERROR.
constexpr std::chrono::milliseconds kLinger{200};

Result<> close_politely(Channel& channel, const Action& action) {
  if (!action.message.empty()) {
    WAGGLE_TRY(channel.send(action.message));
    WAGGLE_TRY(channel.flush());
    channel.end_receiving();
    const auto end = std::chrono::steady_clock::now() + kLinger;
    for (auto left = kLinger; left.count() > 0;
         left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now())) {
      const auto event = channel.next(left);
      if (!event || event->kind == Event::Kind::closed || event->kind == Event::Kind::nothing) {
        break;
      }
    }
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
