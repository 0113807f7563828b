// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "datapaths/packet/host.hpp"

namespace waggle::packet {

Result<bool> Host::transmit(Time now, bool flush_all) {
  bool sent = false;
  // Whoever is ready gets a burst in turn. Bounded, so that what comes in is not kept waiting.
  const Entry* const last = ready_.last;
  for (bool turns_left = true; turns_left && !ready_.empty();) {
    Entry& entry = ready_.pop();
    turns_left = &entry != last;
    if (build(now, entry)) {
      ready_.push(entry);
    } else {
      entry.ready = false;
      if (entry.forgotten && entry.connection->finished()) {
        remove(entry);
      } else {
        set_timer(entry, entry.connection->deadline());
      }
    }
    if (built_ >= options_.burst) {
      WAGGLE_LET(some, flush());
      sent = sent || some;
      if (built_ >= options_.burst) {
        break;  // the port is full
      }
    }
  }
  if (flush_all && built_ > 0) {
    WAGGLE_LET(some, flush());
    sent = sent || some;
  }
  return sent;
}

/// True when the connection may have more to send than fitted the burst.
bool Host::build(Time now, Entry& entry) {
  Connection& connection = *entry.connection;
  bool more = true;
  while (built_ < options_.burst) {
    TxFrame* frame = free_frame();
    if (frame == nullptr) {
      ++stats_.tx_stalls;
      break;
    }
    const std::size_t room = std::min(frame->room, capabilities_.packet);
    const auto next = connection.next_packet(now, ByteSpan(frame->packet, room));
    if (!next) {
      more = false;
      break;
    }
    frame->length = next->length;
    frame->to = connection.peer();
    if (next->extent != nullptr) {
      pieces_.push_back({next->extent, next->offset, frame->packet, next->payload, next->first});
    }
    out_[built_++] = *frame;
    ++leased_next_;
  }
  if (!pieces_.empty()) {
    reader_.fill(pieces_);
    pieces_.clear();
  }
  return more;
}

TxFrame* Host::free_frame() {
  if (leased_next_ == leased_end_) {
    leased_next_ = 0;
    leased_end_ = port_->lease(std::span(leased_).first(options_.burst));
    if (leased_end_ == 0) {
      port_->reclaim();
      leased_end_ = port_->lease(std::span(leased_).first(options_.burst));
    }
  }
  return leased_next_ < leased_end_ ? &leased_[leased_next_] : nullptr;
}

Result<bool> Host::flush() {
  WAGGLE_LET(count, port_->send(std::span(out_).first(built_)));
  if (count < built_) {
    ++stats_.tx_stalls;
    std::copy(out_.begin() + static_cast<std::ptrdiff_t>(count), out_.begin() + static_cast<std::ptrdiff_t>(built_),
              out_.begin());
  }
  built_ -= count;
  return count > 0;
}

}  // namespace waggle::packet
