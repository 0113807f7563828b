// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/connection.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace waggle::packet {
namespace {

double as_seconds(Time time) {
  return static_cast<double>(time) / 1e9;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::create(const ConnectionOptions& options, Time now) {
  WAGGLE_LET(congestion, make_congestion(options.congestion, MtuSearch::kBase));
  return std::unique_ptr<Connection>(new Connection(options, std::move(congestion), now));
}

Connection::Connection(const ConnectionOptions& options, std::unique_ptr<CongestionControl> congestion, Time now)
    : options_(options),
      last_received_(now),
      last_sent_(now),
      handshake_(now),
      acknowledger_(options.window),
      receiving_(options.stranger ? kStrangerWindow : kMessageWindow, *options.staging),
      recovery_(sending_, std::move(congestion), options.seed) {}

void Connection::accept(Time now, const Terms& terms) {
  establish(now, terms);
  handshake_.owe_accept();
}

void Connection::admit() {
  options_.stranger = false;
  messages_in().widen();
  acknowledger_.hurry();
}

void Connection::establish(Time now, const Terms& terms) {
  state_ = State::established;
  sending_.set_limits(terms);
  acknowledger_.told(messages_in().limit());
  recovery_.set_largest_packet(std::max(MtuSearch::kBase, std::min(options_.packet, terms.packet)));
  last_received_ = now;
}

void Connection::fail_with(Error error) {
  if (state_ != State::closed) {
    failure_ = std::move(error);
    state_ = State::closed;
  }
}

void Connection::on_silence() {
  if (state_ == State::connecting) {
    fail_with(
        {Fault::timeout,
         fmt::format("cannot connect to {}: no answer for {:.1f} s", dotted(peer()), as_seconds(options_.timeout)),
         "start the server with the same datapath family, or check address and port"});
  } else {
    fail_with({Fault::timeout,
               fmt::format("{} has vanished: not a packet from it for {:.1f} s", dotted(peer()),
                           as_seconds(options_.timeout)),
               ""});
  }
}

/// Whether the peer has taken nothing for too long.
bool Connection::stalled(Time now) {
  if (sending_.stall_at() > now) {
    return false;
  }
  sending_.look_for_progress(now, options_.patience);
  return sending_.stall_at() <= now;
}

void Connection::on_timer(Time now) {
  if (state_ == State::closed) {
    return;
  }
  if (now >= (state_ == State::connecting ? handshake_.started() : last_received_) + options_.timeout) {
    on_silence();
    return;
  }
  if (state_ == State::connecting) {
    return;
  }
  if (stalled(now)) {
    abandon(now, CloseCode::timeout);
    failure_ = {
        Fault::timeout,
        fmt::format("{} has not taken what was sent to it for {:.1f} s", dotted(peer()), as_seconds(options_.patience)),
        {}};
    return;
  }
  if (state_ == State::closing && now >= closing_.limit()) {
    closing_.give_up_waiting(now);
  }
  recovery_.on_timer(now);
  if (now >= std::max(last_received_, last_sent_) + options_.timeout / 5) {
    ping_due_ = true;
  }
}

Time Connection::deadline() const {
  if (state_ == State::closed) {
    return closing_.at();
  }
  if (state_ == State::connecting) {
    return std::min(handshake_.hello_at(), handshake_.started() + options_.timeout);
  }
  const Time silence = last_received_ + options_.timeout;
  if (recovery_.exhausted()) {
    return std::min({recovery_.loss_at(), closing_.limit(), sending_.stall_at(), closing_.at(), silence});
  }
  if (closing_.due()) {
    // Nothing else is said before CLOSE: what is due besides must not have the host called again and again.
    return std::min(closing_.at(), silence);
  }
  return std::min({acknowledger_.at(), recovery_.due(), closing_.limit(), sending_.stall_at(), recovery_.mtu_due(),
                   std::max(last_received_, last_sent_) + options_.timeout / 5, silence});
}

void Connection::consumed(Time now) {
  // A peer that waits for room must hear of it; others need not.
  // A stranger's window must always have room for the longest message.
  static_assert(kStrangerWindow - kStrangerWindow / 4 > kMaxStrangerMessage + 64);
  const MessageReceiver& messages = receiving_.messages();
  if (messages.limit() >= acknowledger_.told_messages() + messages.window() / (options_.stranger ? 4 : 2)) {
    acknowledger_.call(now);
  }
}

void Connection::close(Time now) {
  if (state_ == State::connecting || state_ == State::closed || peer_closed()) {
    state_ = State::closed;
    return;
  }
  if (state_ == State::established) {
    state_ = State::closing;
    closing_.wait(now);
  }
}

/// The peer does what no peer may do.
void Connection::break_off(Time now, std::string_view why) {
  if (state_ == State::closed) {
    return;
  }
  abandon(now, CloseCode::protocol);
  failure_ = Error{Fault::protocol, fmt::format("{} {}", dotted(peer()), why), {}};
}

void Connection::abandon(Time now, CloseCode code) {
  if (!failure_) {
    closing_.blame(code);
  }
  if (state_ == State::established || state_ == State::closing) {
    closing_.say_once(now);
  }
  state_ = State::closed;
}

Connection::Stats Connection::stats() const {
  const Recovery::Counts& recovery = recovery_.counts();
  return {.packets_sent = counts_.packets_sent,
          .packets_received = counts_.packets_received,
          .retransmissions = counts_.retransmissions,
          .lost_packets = recovery.lost_packets,
          .spurious_losses = recovery.spurious_losses,
          .acks_sent = acknowledger_.acks_sent(),
          .acks_received = counts_.acks_received,
          .duplicates = counts_.duplicates,
          .refused_packets = counts_.refused_packets + receiving_.refused(),
          .staging_full = receiving_.staging_full(),
          .probe_timeouts = recovery.probe_timeouts,
          .window_limited = recovery.window_limited,
          .peer_limited = recovery.peer_limited,
          .pacing_limited = recovery.pacing_limited,
          .mtu_probes = recovery.mtu_probes,
          .persistent_congestion = recovery.persistent_congestion};
}

Connection::Held Connection::held() const {
  return {.numbers = static_cast<std::size_t>(recovery_.next() - recovery_.oldest()),
          .outbound = sending_.held(),
          .lost = sending_.lost_pieces(),
          .pieces = receiving_.pieces(),
          .messages = receiving_.messages().pieces() + sending_.messages().pieces(),
          .received = acknowledger_.received().ranges(),
          .staged = receiving_.staged()};
}

}  // namespace waggle::packet
