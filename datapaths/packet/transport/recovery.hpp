// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/tally.hpp"
#include "datapaths/packet/transport/acknowledger.hpp"
#include "datapaths/packet/transport/congestion.hpp"
#include "datapaths/packet/transport/left_out_numbers.hpp"
#include "datapaths/packet/transport/loss_accounts.hpp"
#include "datapaths/packet/transport/mtu_search.hpp"
#include "datapaths/packet/transport/pacer.hpp"
#include "datapaths/packet/transport/rtt.hpp"
#include "datapaths/packet/transport/sending.hpp"
#include "datapaths/packet/transport/sent_packets.hpp"

namespace waggle::packet {

/// The packets that are under way: how many may be, what became of them, and how large they are. RFC 9002 with a
/// reordering threshold that adapts, RFC 8899 for the path MTU; see docs/transport.md. Tells Sending what arrived and
/// what was lost.
class Recovery {
 public:
  static constexpr std::size_t kMostUnderWay = 1 << 14;  ///< packets whose fate is open
  static constexpr std::size_t kMostNumbers = 1 << 15;   ///< those, and what was sent since that nobody acknowledges

  /// `sending` must outlive it. `seed`: see LeftOutNumbers.
  Recovery(Sending& sending, std::unique_ptr<CongestionControl> congestion, std::uint64_t seed)
      : sending_(sending),
        sent_(kMostUnderWay, kMostNumbers),
        left_out_(seed),
        congestion_(std::move(congestion)),
        mtu_(MtuSearch::kBase, MtuSearch::kBase),
        window_(congestion_->window()) {}
  /// The largest packet in bytes that both ends take is known.
  void set_largest_packet(std::uint32_t largest) { mtu_ = MtuSearch(MtuSearch::kBase, largest); }

  // Numbers

  /// What the next packet's header says.
  struct Number {
    std::uint64_t number = 0;
    std::uint32_t lag = 0;
  };
  Number number() {
    // Numbers that are no longer under discussion lag behind the oldest one that is.
    left_out_.tell(sent_.oldest());
    return {sent_.next(), static_cast<std::uint32_t>(sent_.next() - sent_.oldest())};
  }
  std::uint64_t oldest() const { return sent_.oldest(); }
  std::uint64_t next() const { return sent_.next(); }
  /// Uses up the next number, for a packet that nobody waits for.
  void skip() { sent_.skip(); }
  void leave_out_number() {
    if (left_out_.due(sent_.next())) [[unlikely]] {
      left_out_.leave_out(sent_);
    }
  }
  /// Nothing more may be sent but a few goodbyes.
  bool exhausted() const { return sent_.exhausted(); }

  // Before a packet is sent

  /// No packet is held back by the pacer, until may_send() says so.
  void begin_turn() { pace_at_ = kNever; }
  /// Whether `bytes` more may be under way now.
  bool may_send(Time now, std::size_t bytes) {
    if (sent_.next() >= sending_.packet_limit() || sent_.full()) {
      ++counts_.peer_limited;
      return false;
    }
    if (in_flight_ + bytes > window_) {
      ++counts_.window_limited;
      limited_until_ = sent_.next();
      return false;
    }
    if (!pacer_.allows(now)) {
      ++counts_.pacing_limited;
      limited_until_ = sent_.next();
      pace_at_ = pacer_.next(now);
      return false;
    }
    return true;
  }
  /// Whether it is the last that may be sent for now: `size` bytes, with one more of them nothing would fit.
  bool last_that_fits(std::size_t size) const {
    return in_flight_ + 2 * size > window_ || sent_.next() + 1 >= sending_.packet_limit();
  }
  /// One packet beyond the window is due: RFC 9002, 6.2.4. Counts as sent.
  bool take_probe() {
    if (probes_ == 0) [[likely]] {
      return false;
    }
    --probes_;
    return true;
  }
  /// The second of two probes.
  bool second_probe() const { return timeouts_ > 1 && probes_ == 0; }
  /// The first number with a packet under way, or one before it.
  std::uint64_t first_open() const { return std::max(open_, sent_.oldest()); }
  const SentPacket& packet(std::uint64_t number) const { return sent_[number]; }
  /// The DATA under way that the peer needs first; nullptr without any.
  const SentPacket* foremost() const;

  // Sent

  /// A packet of `size` bytes takes the next number: what it carries is to be filled in. `bounded`: by the pacer.
  SentPacket& record(Time now, SentPacket::Kind kind, std::size_t size, bool bounded = true) {
    SentPacket& packet = sent_.add();
    packet.state = SentPacket::State::under_way;
    packet.kind = kind;
    packet.size = static_cast<std::uint16_t>(size);
    packet.sent_at = now;
    in_flight_ += size;
    ++under_way_;
    last_elicited_ = now;
    if (bounded) {
      pacer_.spend(size);
    }
    return packet;
  }
  /// Size of the MTU probe to send now, or 0.
  std::uint32_t mtu_probe(Time now) const { return mtu_.probe(now); }
  bool may_probe_mtu() const { return sent_.next() < sending_.packet_limit() && !sent_.full(); }
  void record_mtu_probe(Time now, std::uint32_t size);
  /// Nothing but MTU probes is under way.
  bool settled() const { return under_way_ == probing_; }

  // What comes back

  /// False when an ACK speaks of packets that were never sent.
  bool honest(const AckBlock& ack) const { return left_out_.honest(ack, sent_.next()); }
  /// Only if honest().
  void on_ack(Time now, const AckBlock& ack);
  /// Loss by time, or a probe timeout.
  void on_timer(Time now);
  /// When losses are due; kNever: none are.
  Time loss_at() const { return loss_at_; }
  /// When on_timer(), or a packet that the pacer has held back, is due.
  Time due() const { return std::min({loss_at_, pace_at_, probe_at()}); }
  /// When an MTU probe is.
  Time mtu_due() const { return may_probe_mtu() ? mtu_.due() : kNever; }

  std::uint32_t packet_size() const { return mtu_.packet(); }  ///< bytes of the largest that the path is known to take
  std::uint64_t in_flight() const { return in_flight_; }       ///< bytes
  std::uint64_t window() const { return window_; }             ///< bytes
  const RttEstimator& rtt() const { return rtt_; }
  const CongestionControl& congestion() const { return *congestion_; }

  struct Counts {
    Tally lost_packets, spurious_losses, probe_timeouts, window_limited, peer_limited, pacing_limited, mtu_probes,
        persistent_congestion;
  };
  const Counts& counts() const { return counts_; }

 private:
  /// What an ACK says that none has said before.
  struct News {
    bool acknowledged = false;  ///< something that was under way
    bool forgiven = false;      ///< something that was taken for lost
    std::uint64_t bytes = 0;    ///< of what was under way
    std::uint64_t largest = 0;  ///< number of that
  };
  News read(const AckBlock& ack);
  /// What it means that a packet was acknowledged: nothing new, or it was under way, or it was taken for lost.
  enum class Fate : std::uint8_t { known, arrived, found };
  Fate acknowledge(std::uint64_t number);
  void note(News& news, std::uint64_t number) {
    const Fate fate = acknowledge(number);
    if (fate == Fate::arrived) {
      news.acknowledged = true;
      news.bytes += sent_[number].size;
      news.largest = std::max(news.largest, number);
    }
    news.forgiven = news.forgiven || fate == Fate::found;
  }
  void on_news(Time now, const AckBlock& ack, const News& news);
  void forgive(std::uint64_t number, const SentPacket& packet);
  void detect_losses(Time now);
  PersistentCongestion lose_late(Time now);
  void lose(Time now, SentPacket& packet);
  bool awaits_large() const;
  void leave_black_hole(Time now);
  void refresh(Time now);
  /// The probe timeout; never while the time threshold of loss detection has a timer (RFC 9002, 6.2.1).
  Time probe_at() const;

  Sending& sending_;
  SentPackets sent_;
  LeftOutNumbers left_out_;
  RttEstimator rtt_;
  std::unique_ptr<CongestionControl> congestion_;
  Pacer pacer_;
  Time pace_at_ = kNever;  // when the pacer lets the next packet go, if it held one back
  MtuSearch mtu_;
  std::uint64_t window_;         // congestion_->window(), bytes
  std::uint64_t in_flight_ = 0;  // bytes
  std::uint64_t under_way_ = 0;  // packets
  std::uint64_t probing_ = 0;    // those of them that are MTU probes
  std::uint64_t largest_acknowledged_ = 0;
  bool anything_acknowledged_ = false;
  Time last_elicited_ = 0;  // when the last packet was sent that asks for an ACK
  Time loss_at_ = kNever;
  std::uint32_t timeouts_ = 0;       // in a row
  std::uint32_t probes_ = 0;         // to be sent whatever the window
  std::uint64_t threshold_ = 3;      // packets; grows with observed reordering
  std::uint64_t limited_until_ = 0;  // numbers below were sent while the window was what held us back
  std::uint64_t floor_ = 0;          // all below is acknowledged
  std::uint64_t open_ = 0;           // no number below is under way
  Time first_sample_at_ = kNever;    // of the RTT
  CutAccount cut_;
  BlackHoleWatch black_hole_;
  Counts counts_;
};

}  // namespace waggle::packet
