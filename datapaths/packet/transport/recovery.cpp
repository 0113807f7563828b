// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/recovery.hpp"

#include <algorithm>

namespace waggle::packet {
namespace {

/// A path that reorders more than this is treated as lossy (bounds the delay of loss detection by count).
constexpr std::uint64_t kMostThreshold = 1024;
/// Least credit of the pacer: bursts are what ports are good at.
constexpr std::uint64_t kPacedBurst = 256 * 1024;

}  // namespace

void Recovery::on_ack(Time now, const AckBlock& ack) {
  const News news = read(ack);
  if (news.acknowledged) {
    on_news(now, ack, news);
  }
  if (news.acknowledged || news.forgiven) {
    timeouts_ = 0;
    probes_ = 0;
    sending_.tidy();
    refresh(now);
  }
}

Recovery::News Recovery::read(const AckBlock& ack) {
  News news;
  for (std::uint64_t number = std::max(sent_.oldest(), floor_); number < ack.floor; ++number) {
    note(news, number);
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
        note(news, number++);
        packet.length = static_cast<std::uint32_t>(left);
      }
    }
  }
  return news;
}

/// What was under way has arrived: that tells about the path.
void Recovery::on_news(Time now, const AckBlock& ack, const News& news) {
  Time sample = 0;
  const Time sent_at = sent_[news.largest].sent_at;
  if (news.largest == ack.largest) {
    sample = std::max<Time>(1, now - sent_at);
    first_sample_at_ = std::min(first_sample_at_, now);
    rtt_.sample(sample, std::min<Time>(Time{ack.delay} * 1000, Acknowledger::kDelay));
  }
  largest_acknowledged_ = std::max(largest_acknowledged_, news.largest);
  anything_acknowledged_ = true;
  detect_losses(now);
  congestion_->on_ack({now, news.bytes, news.largest, sent_at, sample, rtt_.smoothed(), rtt_.least(), sent_.next(),
                       news.largest >= limited_until_});
  const Time keep = 2 * rtt_.smoothed() + RttEstimator::kGranularity;
  sent_.advance(now > keep ? now - keep : 0);
}

Recovery::Fate Recovery::acknowledge(std::uint64_t number) {
  SentPacket& packet = sent_[number];
  if (packet.state == SentPacket::State::none) {
    packet.state = SentPacket::State::acknowledged;
    return Fate::known;
  }
  const bool taken_for_lost = packet.state == SentPacket::State::lost;
  if (!taken_for_lost && packet.state != SentPacket::State::under_way) {
    return Fate::known;
  }
  const std::uint32_t size = packet.kind == SentPacket::Kind::probe ? packet.length : packet.size;
  black_hole_.on_acknowledged(size);
  if (size > mtu_.packet()) {
    // A probe; or no black hole has swallowed what was sent before: the peer had no CPU for a while.
    mtu_.on_acknowledged(size);
    congestion_->on_packet_size(mtu_.packet());
  }
  packet.state = SentPacket::State::acknowledged;
  if (taken_for_lost) {
    forgive(number, packet);
    return Fate::found;
  }
  in_flight_ -= packet.size;
  --under_way_;
  probing_ -= packet.kind == SentPacket::Kind::probe ? 1 : 0;
  sending_.on_acknowledged(packet);
  return Fate::arrived;
}

/// A packet that was taken for lost has arrived: the path reorders, by how much the numbers tell (RFC 8985 spirit).
void Recovery::forgive(std::uint64_t number, const SentPacket& packet) {
  if (packet.kind == SentPacket::Kind::probe) {
    return;  // its loss did not count either
  }
  ++counts_.spurious_losses;
  if (largest_acknowledged_ > number) {
    threshold_ = std::clamp(largest_acknowledged_ - number + 1, threshold_, kMostThreshold);
  }
  sending_.on_found(packet);
  if (cut_.forgive(packet.round)) {
    congestion_->on_spurious_loss();
    window_ = congestion_->window();
  }
}

/// RFC 9002, section 6.1: by count and by time.
void Recovery::detect_losses(Time now) {
  loss_at_ = kNever;
  if (!anything_acknowledged_) {
    return;
  }
  cut_.begin_round();
  const PersistentCongestion losses = lose_late(now);
  if (black_hole_.found()) {
    leave_black_hole(now);
  }
  if (losses.newest() == kNever) {
    return;
  }
  if (congestion_->on_loss(now, losses.newest())) {
    cut_.cut();
  }
  if (losses.longest() > 3 * rtt_.pto(Acknowledger::kDelay)) {  // section 7.6
    ++counts_.persistent_congestion;
    congestion_->on_persistent_congestion();
    rtt_.restart_least();
    cut_.clear();
  }
}

/// Gives up what is late, and sees when the next one would be.
PersistentCongestion Recovery::lose_late(Time now) {
  PersistentCongestion losses(first_sample_at_);
  const Time delay = rtt_.loss_delay();
  std::uint64_t number = first_open();
  for (; number < largest_acknowledged_; ++number) {
    SentPacket& packet = sent_[number];
    if (packet.state != SentPacket::State::under_way) {
      if (packet.state == SentPacket::State::acknowledged) {
        losses.on_acknowledged();
      }
      continue;
    }
    if (packet.sent_at + delay > now && number + threshold_ > largest_acknowledged_) {
      loss_at_ = packet.sent_at + delay;  // and those behind it later
      break;
    }
    // A lost probe of the path MTU says nothing about congestion (RFC 8899, section 3).
    if (packet.kind != SentPacket::Kind::probe) {
      losses.on_lost(packet.sent_at);
    }
    lose(now, packet);
  }
  open_ = number;
  return losses;
}

void Recovery::lose(Time now, SentPacket& packet) {
  packet.state = SentPacket::State::lost;
  packet.round = cut_.round();
  in_flight_ -= packet.size;
  --under_way_;
  if (packet.kind == SentPacket::Kind::probe) {
    --probing_;
    mtu_.on_lost(packet.sent_at, packet.length);
    return;
  }
  sending_.on_lost(packet);
  ++counts_.lost_packets;
  cut_.lose();
  if (packet.size > MtuSearch::kBase) {
    black_hole_.on_lost(now, packet.size, packet.sent_at);
  }
}

void Recovery::leave_black_hole(Time now) {
  black_hole_.clear();
  if (mtu_.packet() > MtuSearch::kBase) {
    mtu_.on_black_hole(now);
    congestion_->on_packet_size(mtu_.packet());
  }
}

Time Recovery::probe_at() const {
  if (under_way_ == 0 || loss_at_ != kNever) {
    return kNever;
  }
  // Backoff is capped: a path that was dead for long is found again within a second.
  const Time pto = rtt_.pto(Acknowledger::kDelay);
  return last_elicited_ + std::min<Time>(pto << std::min(timeouts_, 10U), std::max<Time>(1'000'000'000, pto));
}

void Recovery::on_timer(Time now) {
  if (loss_at_ <= now) {
    detect_losses(now);
    refresh(now);
  } else if (probe_at() <= now && probes_ == 0) {
    ++timeouts_;
    ++counts_.probe_timeouts;
    probes_ = timeouts_ > 1 ? 2 : 1;
    last_elicited_ = now;
    if (timeouts_ >= 3 && awaits_large()) {
      leave_black_hole(now);
    }
  }
}

/// Silence says nothing about sizes when all that it could have swallowed is small: then the peer has no CPU, or the
/// path is cut.
bool Recovery::awaits_large() const {
  for (std::uint64_t number = first_open(); number < sent_.next(); ++number) {
    const SentPacket& packet = sent_[number];
    if (packet.state == SentPacket::State::under_way && packet.kind != SentPacket::Kind::probe &&
        packet.size > MtuSearch::kBase) {
      return true;
    }
  }
  return false;
}

const SentPacket* Recovery::foremost() const {
  const SentPacket* foremost = nullptr;
  for (std::uint64_t number = first_open(); number < sent_.next(); ++number) {
    const SentPacket& packet = sent_[number];
    if (packet.state == SentPacket::State::under_way && packet.kind == SentPacket::Kind::data &&
        (foremost == nullptr || before(packet.extent, foremost->extent) ||
         (packet.extent == foremost->extent && packet.offset < foremost->offset))) {
      foremost = &packet;
    }
  }
  return foremost;
}

void Recovery::record_mtu_probe(Time now, std::uint32_t size) {
  ++counts_.mtu_probes;
  record(now, SentPacket::Kind::probe, mtu_.packet()).length = size;
  ++probing_;
  mtu_.on_sent(now);
}

/// Takes over what the congestion controller has come to.
void Recovery::refresh(Time now) {
  window_ = congestion_->window();
  const std::uint64_t rate = congestion_->pacing_rate(rtt_.smoothed());
  pacer_.set(now, rate, std::max<std::uint64_t>(kPacedBurst, rate / 1000));
}

}  // namespace waggle::packet
