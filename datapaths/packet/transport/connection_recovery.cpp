// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "datapaths/packet/transport/connection.hpp"

namespace waggle::packet {
namespace {

/// A path that reorders more than this is treated as lossy (bounds the delay of loss detection by count).
constexpr std::uint64_t kMostThreshold = 1024;
/// Least credit of the pacer: bursts are what ports are good at.
constexpr std::uint64_t kPacedBurst = 256 * 1024;
/// Times that large packets must have been lost in a row, each sent when the one before was known to be lost.
constexpr std::uint32_t kBlackRounds = 3;

}  // namespace

/// Whether an ACK speaks only of packets that were sent. A floor may be above a number that was left out once the peer
/// was told to care no more for it.
bool Connection::honest(const AckBlock& ack) const {
  const bool says_something = ack.floor > 0 || ack.count > 0 || ack.largest > 0;
  if (ack.floor > sent_.next() || (says_something && ack.largest >= sent_.next())) {
    return false;
  }
  if (left_out_ == kNever) {
    return true;
  }
  const auto holds = [this](const NumberRange& range) { return range.first <= left_out_ && left_out_ <= range.last; };
  return (ack.floor <= left_out_ || left_out_ < told_) &&
         std::none_of(ack.ranges.begin(), ack.ranges.begin() + ack.count, holds);
}

/// False when the ACK speaks of packets that were never sent: a peer that guesses makes us send faster than the path
/// allows (RFC 9000, 21.4), and that ends the connection.
bool Connection::on_ack(Time now, const AckBlock& ack) {
  if (!honest(ack)) {
    ++stats_.refused_packets;
    break_off(now, "acknowledges packets that were never sent");
    return false;
  }
  ++stats_.acks_received;
  packet_limit_ = std::max(packet_limit_, ack.packet_limit);
  message_limit_ = std::max(message_limit_, ack.message_limit);

  News news;
  for (std::uint64_t number = std::max(sent_.oldest(), floor_); number < ack.floor; ++number) {
    acknowledge(number, news);
  }
  floor_ = std::max(floor_, ack.floor);
  for (std::uint16_t i = ack.count; i-- > 0;) {
    const std::uint64_t end = ack.ranges[i].last + 1;
    for (std::uint64_t number = std::max({ack.ranges[i].first, sent_.oldest(), floor_}); number < end;) {
      // Every ACK says again what earlier ones said: that is jumped over, and each jump gets longer for the next one.
      SentPacket& packet = sent_[number];
      const std::uint64_t left = end - number;
      if (packet.state == SentPacket::State::acknowledged) {
        const std::uint32_t jump = std::max(packet.length, 1U);
        packet.length = std::max(jump, static_cast<std::uint32_t>(left));
        number += jump;
      } else {
        acknowledge(number++, news);
        packet.length = static_cast<std::uint32_t>(left);
      }
    }
  }
  if (news.acknowledged) {
    on_news(now, ack, news);
  }
  if (news.acknowledged || news.forgiven) {
    timeouts_ = 0;
    probes_ = 0;
    tidy_outbound();
    refresh(now);
  }
  return true;
}

/// What was under way has arrived: that tells about the path.
void Connection::on_news(Time now, const AckBlock& ack, const News& news) {
  Time sample = 0;
  const Time sent_at = sent_[news.largest].sent_at;
  if (news.largest == ack.largest) {
    sample = std::max<Time>(1, now - sent_at);
    first_sample_at_ = std::min(first_sample_at_, now);
    rtt_.sample(sample, std::min<Time>(Time{ack.delay} * 1000, kAckDelay));
  }
  largest_acknowledged_ = std::max(largest_acknowledged_, news.largest);
  anything_acknowledged_ = true;
  detect_losses(now);
  congestion_->on_ack({now, news.bytes, news.largest, sent_at, sample, rtt_.smoothed(), rtt_.least(), sent_.next(),
                       news.largest >= limited_until_});
  const Time keep = 2 * rtt_.smoothed() + RttEstimator::kGranularity;
  sent_.advance(now > keep ? now - keep : 0);
}

void Connection::acknowledge(std::uint64_t number, News& news) {
  SentPacket& packet = sent_[number];
  if (packet.state == SentPacket::State::none) {
    packet.state = SentPacket::State::acknowledged;
    return;
  }
  const bool taken_for_lost = packet.state == SentPacket::State::lost;
  if (!taken_for_lost && packet.state != SentPacket::State::under_way) {
    return;
  }
  const std::uint32_t size = packet.kind == SentPacket::Kind::probe ? packet.length : packet.size;
  if (black_size_ != 0 && size >= black_size_) [[unlikely]] {
    black_size_ = black_rounds_ = 0;
  }
  if (size > mtu_.packet()) {
    // A probe; or no black hole has swallowed what was sent before: the peer had no CPU for a while.
    mtu_.on_acknowledged(size);
    congestion_->on_packet_size(mtu_.packet());
  }
  packet.state = SentPacket::State::acknowledged;
  if (taken_for_lost) {
    news.forgiven = true;
    forgive(number, packet);
    return;
  }
  in_flight_ -= packet.size;
  --under_way_;
  probing_ -= packet.kind == SentPacket::Kind::probe ? 1 : 0;
  news.acknowledged = true;
  news.bytes += packet.size;
  news.largest = std::max(news.largest, number);
  Outbound* const extent = packet.kind == SentPacket::Kind::data ? outbound(packet.extent) : nullptr;
  if (extent != nullptr) {
    --extent->under_way;
  }
  arrived(packet, extent);
}

/// The peer has what the packet carried, be it sooner or later.
void Connection::arrived(const SentPacket& packet, Outbound* extent) {
  if (packet.kind == SentPacket::Kind::message) {
    progress_ += packet.length;
    messages_out_.on_acknowledged({packet.offset, packet.length});
  }
  if (packet.kind == SentPacket::Kind::data) {
    progress_ += packet.length;
  }
  if (extent != nullptr) {
    extent->acknowledged += packet.length;
    if (extent->over() && extent != &outbound_.back()) {
      extent->file.reset();  // though one before it is not over
    }
  }
}

/// A packet that was taken for lost has arrived: the path reorders, by how much the numbers tell (RFC 8985 spirit).
void Connection::forgive(std::uint64_t number, const SentPacket& packet) {
  if (packet.kind == SentPacket::Kind::probe) {
    return;  // its loss did not count either
  }
  ++stats_.spurious_losses;
  if (largest_acknowledged_ > number) {
    threshold_ = std::clamp(largest_acknowledged_ - number + 1, threshold_, kMostThreshold);
  }
  Outbound* const extent = packet.kind == SentPacket::Kind::data ? outbound(packet.extent) : nullptr;
  if (extent != nullptr && !extent->lost.empty()) {
    // Need not be sent again, unless that has happened.
    extent->lost.remove(packet.offset, packet.offset + packet.length);
    lost_extents_ -= extent->lost.empty() ? 1 : 0;
  }
  arrived(packet, extent);
  if (static_cast<std::int32_t>(packet.round - cut_round_) < 0) {
    return;  // it stands behind an earlier cut
  }
  ++forgiven_since_cut_;
  if (lost_since_cut_ > 0 && forgiven_since_cut_ >= lost_since_cut_) {
    congestion_->on_spurious_loss();
    lost_since_cut_ = forgiven_since_cut_ = 0;
    window_ = congestion_->window();
  }
}

/// RFC 9002, section 6.1: by count and by time.
void Connection::detect_losses(Time now) {
  loss_at_ = kNever;
  if (!anything_acknowledged_) {
    return;
  }
  const Time delay = rtt_.loss_delay();
  const std::uint64_t lost_before = lost_since_cut_;
  ++loss_round_;
  Time newest = kNever;  // lost, and so below: when they were sent
  Time first = kNever;   // with nothing acknowledged since
  Time longest = 0;      // between two such
  std::uint64_t number = std::max(open_, sent_.oldest());
  for (; number < largest_acknowledged_; ++number) {
    SentPacket& packet = sent_[number];
    if (packet.state != SentPacket::State::under_way) {
      first = packet.state == SentPacket::State::acknowledged ? kNever : first;
      continue;
    }
    if (packet.sent_at + delay > now && number + threshold_ > largest_acknowledged_) {
      loss_at_ = packet.sent_at + delay;  // and those behind it later
      break;
    }
    // A lost probe of the path MTU says nothing about congestion (RFC 8899, section 3).
    if (packet.kind != SentPacket::Kind::probe) {
      newest = packet.sent_at;
      if (packet.sent_at > first_sample_at_) {
        first = std::min(first, packet.sent_at);
        longest = std::max(longest, packet.sent_at - first);
      }
    }
    lose(packet);
    suspect(now, packet);
  }
  open_ = number;
  if (black_rounds_ >= kBlackRounds) {
    leave_black_hole(now);
  }
  if (newest == kNever) {
    return;
  }
  if (congestion_->on_loss(now, newest)) {
    cut_round_ = loss_round_;
    lost_since_cut_ -= lost_before;
    forgiven_since_cut_ = 0;
  }
  if (longest > 3 * rtt_.pto(kAckDelay)) {  // section 7.6
    ++stats_.persistent_congestion;
    congestion_->on_persistent_congestion();
    rtt_.restart_least();
    lost_since_cut_ = forgiven_since_cut_ = 0;
  }
}

/// Large packets that are lost again and again while smaller ones arrive have met a black hole (RFC 8899, 4.3).
void Connection::suspect(Time now, const SentPacket& packet) {
  if (packet.kind == SentPacket::Kind::probe || packet.size <= MtuSearch::kBase) {
    return;
  }
  if (black_size_ == 0 || packet.sent_at > black_at_) {
    ++black_rounds_;
    black_at_ = now;
  }
  black_size_ = black_size_ == 0 ? packet.size : std::min<std::uint32_t>(black_size_, packet.size);
}

void Connection::leave_black_hole(Time now) {
  black_size_ = black_rounds_ = 0;
  if (mtu_.packet() > MtuSearch::kBase) {
    mtu_.on_black_hole(now);
    congestion_->on_packet_size(mtu_.packet());
  }
}

void Connection::lose(SentPacket& packet) {
  packet.state = SentPacket::State::lost;
  packet.round = loss_round_;
  in_flight_ -= packet.size;
  --under_way_;
  switch (packet.kind) {
    case SentPacket::Kind::data:
      if (Outbound* extent = outbound(packet.extent)) {
        lost_extents_ += extent->lost.empty() ? 1 : 0;
        extent->lost.add(packet.offset, packet.offset + packet.length);
        first_lost_ = before(packet.extent, first_lost_) ? packet.extent : first_lost_;
        --extent->under_way;
      }
      break;
    case SentPacket::Kind::message: messages_out_.on_lost({packet.offset, packet.length}); break;
    case SentPacket::Kind::probe:
      --probing_;
      mtu_.on_lost(packet.sent_at, packet.length);
      return;
    case SentPacket::Kind::control: break;
  }
  ++stats_.lost_packets;
  ++lost_since_cut_;
}

/// Takes over what the congestion controller has come to.
void Connection::refresh(Time now) {
  window_ = congestion_->window();
  const std::uint64_t rate = congestion_->pacing_rate(rtt_.smoothed());
  pacer_.set(now, rate, std::max<std::uint64_t>(kPacedBurst, rate / 1000));
}

}  // namespace waggle::packet
