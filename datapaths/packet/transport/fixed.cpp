// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/transport/fixed.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace waggle::packet {

Fixed::Fixed(std::uint64_t window, std::uint64_t rate, std::uint32_t packet)
    : window_(window), rate_(rate), packet_(packet) {}

std::uint64_t Fixed::window() const {
  const std::uint64_t least = std::uint64_t{2} * packet_;
  if (rate_ == 0) {
    return std::max(window_, least);
  }
  const double round_trip = static_cast<double>(std::max(smoothed_, kLeastRoundTrip)) / 1e9;
  return static_cast<std::uint64_t>(2 * static_cast<double>(rate_) * round_trip) + 10 * std::uint64_t{packet_};
}

std::string Fixed::describe() const {
  return rate_ == 0 ? "fixed window " + format_bytes(window_)
                    : "fixed rate " + format_rate(static_cast<double>(rate_) * 8);
}

}  // namespace waggle::packet
