// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "datapaths/packet/transport/time.hpp"

namespace waggle::packet {

/// Whether a peer takes what waits for it: however alive it looks, it does not hold us for ever by taking nothing. In
/// bytes of messages and payload.
class ProgressWatch {
 public:
  /// It has acknowledged so much.
  void made(std::uint64_t bytes) { made_ += bytes; }
  /// Looks once more: `owed` bytes wait to be taken, for which it has `patience` ns; 0: for ever.
  void look(Time now, std::uint64_t owed, Time patience) {
    if (owed == 0 || patience == 0) {
      at_ = kNever;
    } else if (at_ == kNever || made_ >= due_) {
      due_ = made_ + std::min(owed, kLeast);
      at_ = now + patience;
    }
  }
  /// When it counts as stalled, unless look() finds that it is not.
  Time at() const { return at_; }

 private:
  static constexpr std::uint64_t kLeast = 4096;  ///< bytes: less does not keep a connection alive

  std::uint64_t made_ = 0;
  std::uint64_t due_ = 0;  // what it must come to
  Time at_ = kNever;       // by when
};

}  // namespace waggle::packet
