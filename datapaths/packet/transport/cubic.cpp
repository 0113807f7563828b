// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/cubic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace waggle::packet {
namespace {

constexpr Time kLongestAckDelay = 25'000'000;  // ns, what RFC 9000 presumes

double seconds(Time ns) {
  return static_cast<double>(ns) / 1e9;
}

}  // namespace

Cubic::Cubic(std::uint32_t packet) : packet_(packet) {
  state_.window = static_cast<double>(kInitialPackets * packet_);
  state_.threshold = std::numeric_limits<double>::infinity();
}

void Cubic::on_ack(const AckSample& sample) {
  const Time since = sample.now - std::min(last_ack_, sample.now);
  last_ack_ = sample.now;
  if (state_.recovers && sample.sent_at <= state_.cut_at) {
    return;  // recovery: what was under way at the cut must not grow the window (RFC 9002, 7.3.2)
  }
  // Time in which the window was not used must not count as growth (RFC 9438, 5.8). A busy sender hears of its packets
  // several times in a round trip.
  const bool idle = since > 4 * sample.smoothed + kLongestAckDelay;
  if ((sample.limited || idle) && state_.epoch != kNever) {
    state_.epoch = std::min(state_.epoch + since, sample.now);
  }
  if (sample.limited) {
    return;
  }
  if (!slow_start()) {
    grow(sample);
    return;
  }
  // HyStart++ is for the initial slow start; later ones end at a threshold that is known (RFC 9406, 4.3).
  const bool initial = std::isinf(state_.threshold);
  const std::uint64_t growth = initial ? state_.hystart.on_ack(sample) : sample.bytes;
  state_.window = std::min(state_.window + static_cast<double>(growth), state_.threshold);
  if (initial && state_.hystart.phase() == HyStart::Phase::done) {
    // Left slow start without a loss: the curve starts on its plateau (RFC 9438, 4.10).
    state_.threshold = state_.window;
    state_.most = state_.prior = state_.window;
    state_.epoch = kNever;
  }
}

void Cubic::begin_epoch(Time now) {
  state_.epoch = now;
  state_.reno = state_.window;
  state_.most = std::max(state_.most, state_.window);
  state_.plateau = std::cbrt((state_.most - state_.window) / static_cast<double>(packet_) / kC);
}

void Cubic::grow(const AckSample& sample) {
  if (state_.epoch == kNever) {
    begin_epoch(sample.now);
  }
  const auto packet = static_cast<double>(packet_);
  const auto acknowledged = static_cast<double>(sample.bytes);
  const auto curve = [&](Time at) {
    const double t = seconds(at - state_.epoch) - state_.plateau;
    return kC * t * t * t * packet + state_.most;
  };
  // The Reno-friendly region (RFC 9438, 4.3).
  constexpr double kAlpha = 3 * (1 - kBeta) / (1 + kBeta);
  const double alpha = state_.reno >= state_.prior ? 1 : kAlpha;
  state_.reno += alpha * packet * acknowledged / state_.window;
  if (curve(sample.now) < state_.reno) {
    state_.window = std::max(state_.window, state_.reno);
    return;
  }
  // Where the curve will be in one round trip, approached in that round trip (RFC 9438, 4.2, 4.4 and 4.5).
  const double target = std::clamp(curve(sample.now + sample.smoothed), state_.window, 1.5 * state_.window);
  state_.window += (target - state_.window) * std::min(acknowledged / state_.window, 1.0);
}

bool Cubic::on_loss(Time now, Time newest_sent_at) {
  if (state_.recovers && newest_sent_at <= state_.cut_at) {
    return false;
  }
  before_ = state_;
  can_undo_ = true;
  state_.recovers = true;
  state_.cut_at = now;
  // Fast convergence: a flow that lost before it regained its plateau leaves room for newer ones (RFC 9438, 4.7).
  state_.most = state_.window < state_.most ? state_.window * (1 + kBeta) / 2 : state_.window;
  state_.prior = state_.window;
  state_.window = std::max(state_.window * kBeta, least());
  state_.threshold = state_.window;
  state_.epoch = kNever;
  return true;
}

void Cubic::on_persistent_congestion() {
  // RFC 9002, B.8 and RFC 9438, 4.8: the curve will start on its plateau. The threshold, and the window from before it
  // (4.3), remain those of the cut that the losses brought.
  state_.window = least();
  state_.epoch = kNever;
  state_.most = 0;
  state_.recovers = false;
  can_undo_ = false;
}

void Cubic::on_spurious_loss() {
  if (!can_undo_) {
    return;
  }
  can_undo_ = false;
  const double grown = state_.window;
  const Time cut_at = state_.cut_at;
  state_ = before_;
  state_.window = std::max({state_.window, grown, least()});
  if (state_.epoch != kNever) {
    state_.epoch += last_ack_ - std::min(cut_at, last_ack_);  // the curve's time stood still
  }
}

void Cubic::on_packet_size(std::uint32_t bytes) {
  // The initial window counts packets; a probe of a larger size that succeeds before anything was learned raises it.
  if (!state_.recovers && state_.window == static_cast<double>(kInitialPackets * packet_)) {
    state_.window = static_cast<double>(kInitialPackets * bytes);
  }
  packet_ = bytes;
  state_.window = std::max(state_.window, least());
  state_.epoch = kNever;
}

std::uint64_t Cubic::pacing_rate(Time smoothed) const {
  if (smoothed == 0) {
    return 0;
  }
  const double factor = slow_start() ? 2 : 1.25;
  return static_cast<std::uint64_t>(std::max(factor * state_.window / seconds(smoothed), 1.0));
}

}  // namespace waggle::packet
