// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

#include "datapaths/packet/transport/time.hpp"
#include "datapaths/packet/transport/wire.hpp"

namespace waggle::packet {

/// How a connection ends: who closes waits for acknowledgements, but not for long, says CLOSE up to four times and is
/// answered by CLOSE. Knows what is to be said and when; the connection knows in which state it is.
class Closing {
 public:
  CloseCode code() const { return code_; }
  void blame(CloseCode code) { code_ = code; }
  /// The peer has closed in order.
  bool peer_closed() const { return peer_closed_; }
  bool due() const { return due_; }
  /// When CLOSE is to be said; kNever: not at all.
  Time at() const { return due_ ? at_ : kNever; }
  /// When waiting for acknowledgements ends.
  Time limit() const { return limit_; }

  /// Everything that was sent is to be acknowledged first.
  void wait(Time now) { limit_ = now + kLinger; }
  /// For as long as it is not answered.
  void say(Time now) {
    due_ = true;
    at_ = now;
  }
  /// Once, whoever hears it.
  void say_once(Time now) {
    say(now);
    said_ = kMost - 1;
  }
  /// Waiting for acknowledgements is over.
  void give_up_waiting(Time now) {
    say(now);
    limit_ = kNever;
  }
  /// The peer has closed in order: it is told that it was heard.
  void on_peer(Time now) {
    peer_closed_ = true;
    say(now);
  }
  /// Both close. `waits`: the peer waits for a CLOSE, unless it has had one.
  void on_both(Time now, bool waits) {
    due_ = waits && said_ == 0;
    answered_ = !due_;
    at_ = now;
    said_ = kMost - 1;
  }
  /// Nothing need be said any more.
  void on_answer() { answered_ = true; }

  /// Whether CLOSE is said now; due() tells whether that was the last time.
  bool next(Time now) {
    if (!due_ || now < at_) {
      return false;
    }
    if (answered_) {
      due_ = false;
      return false;
    }
    ++said_;
    at_ = now + (kWait << said_);
    due_ = !peer_closed_ && said_ < kMost;
    return true;
  }

 private:
  static constexpr Time kLinger = 2'000'000'000;
  static constexpr Time kWait = 20'000'000;
  static constexpr std::uint32_t kMost = 4;

  bool peer_closed_ = false;
  bool due_ = false;
  bool answered_ = false;
  CloseCode code_ = CloseCode::done;
  std::uint32_t said_ = 0;
  Time at_ = kNever;     // when CLOSE is said again
  Time limit_ = kNever;  // when waiting for acknowledgements ends
};

}  // namespace waggle::packet
