// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "datapaths/packet/transport/time.hpp"

namespace waggle::packet {

/// The losses behind the last cut of the window, MTU probes apart: it is undone when all of them were none (RFC 9438,
/// 4.9; in the spirit of RFC 4015).
class CutAccount {
 public:
  /// Loss detection begins; what is lost from here on stands behind the cut that it may bring.
  void begin_round() {
    ++round_;
    before_ = lost_;
  }
  /// To be kept with every packet that is lost.
  std::uint32_t round() const { return round_; }
  void lose() { ++lost_; }
  /// The window was cut for what was lost in this round.
  void cut() {
    cut_round_ = round_;
    lost_ -= before_;
    forgiven_ = 0;
  }
  void clear() { lost_ = forgiven_ = 0; }
  /// A packet that was lost in `round` has arrived after all. True when so have all: the cut is to be undone.
  bool forgive(std::uint32_t round) {
    if (static_cast<std::int32_t>(round - cut_round_) < 0) {
      return false;  // it stands behind an earlier cut
    }
    ++forgiven_;
    if (lost_ == 0 || forgiven_ < lost_) {
      return false;
    }
    clear();
    return true;
  }

 private:
  std::uint32_t round_ = 0;      // counts rounds of loss detection
  std::uint32_t cut_round_ = 0;  // the one of the last cut
  std::uint64_t before_ = 0;     // lost_ when the round began
  std::uint64_t lost_ = 0;       // since the cut
  std::uint64_t forgiven_ = 0;
};

/// Large packets that are lost again and again while smaller ones arrive have met a black hole (RFC 8899, 4.3).
class BlackHoleWatch {
 public:
  void on_acknowledged(std::uint32_t size) {
    if (size_ != 0 && size >= size_) [[unlikely]] {
      clear();
    }
  }
  /// A packet larger than the base was lost.
  void on_lost(Time now, std::uint32_t size, Time sent_at) {
    if (size_ == 0 || sent_at > at_) {
      ++rounds_;
      at_ = now;
    }
    size_ = size_ == 0 ? size : std::min(size_, size);
  }
  bool found() const { return rounds_ >= kRounds; }
  void clear() { size_ = rounds_ = 0; }

 private:
  /// Times that they must have been lost in a row, each sent when the one before was known to be lost.
  static constexpr std::uint32_t kRounds = 3;

  std::uint32_t size_ = 0;  // packets of this size and above vanish; 0: they do not
  std::uint32_t rounds_ = 0;
  Time at_ = 0;  // the last time
};

/// Whether everything was lost over a time in which something should have arrived (RFC 9002, 7.6).
class PersistentCongestion {
 public:
  /// Losses count that were sent after `first_sample`, the first one of the RTT.
  explicit PersistentCongestion(Time first_sample) : first_sample_(first_sample) {}
  void on_lost(Time sent_at) {
    newest_ = sent_at;
    if (sent_at > first_sample_) {
      first_ = std::min(first_, sent_at);
      longest_ = std::max(longest_, sent_at - first_);
    }
  }
  void on_acknowledged() { first_ = kNever; }
  Time newest() const { return newest_; }    ///< when what was lost last was sent; kNever: nothing was
  Time longest() const { return longest_; }  ///< ns between two losses with nothing acknowledged between them

 private:
  Time first_sample_;
  Time newest_ = kNever;
  Time first_ = kNever;
  Time longest_ = 0;
};

}  // namespace waggle::packet
