// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>

#include "datapaths/datapath.hpp"

/// For tests only: a door for one peer at a time.
namespace waggle::protocol::testing {

/// How long a peer that was turned away is listened to, so that it can hear why.
inline constexpr std::chrono::milliseconds kLastWords{100};

inline void turn_away(Channel& channel, ByteView message, const Gate& gate, const Error& why) {
  if (!message.empty() && channel.send(message) && channel.flush()) {
    static_cast<void>(channel.next(kLastWords));
  }
  if (gate.refused) {
    gate.refused(why);
  }
}

/// Asks one peer after another, and waits for each: for listeners whose peers are all known, such as those of tests.
/// Nothing when the peer was turned away.
inline Result<std::optional<Admitted>> admit(std::unique_ptr<Channel> channel, const Gate& gate) {
  auto admission = gate.admission();
  if (const auto room = gate.room(); !room) {
    turn_away(*channel, admission->refusal(room.error()), gate, room.error());
    return std::nullopt;
  }
  for (;;) {
    auto event = channel->next(gate.patience);
    if (!event || event->kind != Event::Kind::message) {
      const Error why = event ? Error{Fault::timeout, "a peer did not introduce itself in time", {}} : event.error();
      turn_away(*channel, admission->refusal(why), gate, why);
      return std::nullopt;
    }
    const auto answer = admission->on_message(event->message, event->announces);
    if (answer.verdict == Admission::Verdict::refuse) {
      turn_away(*channel, answer.reply, gate, admission->failure());
      return std::nullopt;
    }
    if (!answer.reply.empty()) {
      if (const auto sent = channel->send(answer.reply); !sent) {
        turn_away(*channel, {}, gate, sent.error());
        return std::nullopt;
      }
    }
    if (answer.verdict == Admission::Verdict::admit) {
      return Admitted{std::move(channel), std::move(admission)};
    }
  }
}

}  // namespace waggle::protocol::testing
