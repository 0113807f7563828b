// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/reception.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "datapaths/packet/message_frame.hpp"

namespace waggle::packet {
namespace {

/// Errors that are kept for whoever wants to hear of them; a flood of strangers makes no more.
constexpr std::size_t kMostErrors = 64;

bool say(Connection& connection, ByteView message) {
  MessageSender& stream = connection.messages_out();
  if (stream.room() < MessageFrame::room(message, nullptr)) {
    return false;
  }
  MessageFrame::write(stream, message, nullptr);
  return true;
}

}  // namespace

Time Reception::deadline(const Gate& gate) const {
  const Stranger* const oldest = host_->strangers().oldest();
  return oldest == nullptr ? kNever : oldest->since + static_cast<Time>(gate.patience.count());
}

std::optional<Reception::Guest> Reception::next(const Gate& gate, const Result<>& room, Time now) {
  Strangers& strangers = host_->strangers();
  while (Stranger* const stranger = strangers.answer()) {
    if (!stranger->admission) {
      stranger->admission = gate.admission();
    }
    if (hear(*stranger, room, now)) {
      Guest guest{nullptr, std::move(stranger->admission)};
      guest.connection = &host_->admit(*stranger);
      return guest;
    }
  }
  while (deadline(gate) <= now) {
    Stranger& late = *strangers.oldest();
    const Error why{Fault::timeout,
                    fmt::format("a client did not introduce itself within {:.1f} s",
                                std::chrono::duration<double>(gate.patience).count()),
                    {}};
    if (!late.admission) {
      late.admission = gate.admission();
    }
    dismiss(late, late.admission->refusal(why), why, now);
  }
  return {};
}

/// Whether it may come in.
bool Reception::hear(Stranger& stranger, const Result<>& room, Time now) {
  Connection& connection = *stranger.connection;
  Admission& admission = *stranger.admission;
  const auto refuse = [&](const Error& why) {
    dismiss(stranger, admission.refusal(why), why, now);
    return false;
  };
  MessageReceiver& stream = connection.messages_in();
  while (const auto frame = MessageFrame::peek(stream)) {
    if (!room) {
      return refuse(room.error());
    }
    if (!frame->sound() || frame->size > kMaxStrangerMessage) {
      return refuse({Fault::protocol,
                     fmt::format("a client that did not introduce itself sent a message of {} bytes", frame->size),
                     {}});
    }
    if (stream.available() < frame->header() + frame->size) {
      break;
    }
    const auto answer = admission.on_message(stream.view(frame->header(), frame->size), frame->extent.has_value());
    if (answer.verdict == Admission::Verdict::refuse) {
      dismiss(stranger, answer.reply, admission.failure(), now);
      return false;
    }
    if (!answer.reply.empty() && !say(connection, answer.reply)) {
      return refuse({Fault::protocol, "a client takes no answers", {}});
    }
    stream.consume(frame->header() + frame->size);
    connection.consumed(now);
    host_->wake(connection);
    if (answer.verdict == Admission::Verdict::admit) {
      return true;
    }
  }
  if (connection.failure() || connection.peer_closed()) {
    dismiss(stranger, {},
            connection.failure().value_or(Error{Fault::peer_gone, "a client left before it had introduced itself", {}}),
            now);
  } else if (!room) {
    return refuse(room.error());
  }
  return false;
}

void Reception::dismiss(Stranger& stranger, ByteView message, const Error& why, Time now) {
  if (!message.empty()) {
    say(*stranger.connection, message);
  }
  if (turned_away_.size() < kMostErrors) {
    turned_away_.push_back(why);
  }
  host_->turn_away(stranger, now);
}

}  // namespace waggle::packet
