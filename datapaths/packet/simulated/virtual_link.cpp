// SPDX-License-Identifier: BSD-2-Clause
#include "datapaths/packet/simulated/virtual_link.hpp"

#include <algorithm>

namespace waggle::packet {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr Time kLeastReordering = 100'000;  // ns

}  // namespace

bool VirtualLink::happens(double probability) {
  // No random number for what never happens: a clean link costs nothing.
  return probability > 0 && static_cast<double>(random_() >> 11U) * 0x1p-53 < probability;
}

bool VirtualLink::in_black_hole(Time now) const {
  return std::ranges::any_of(impairments_.black_holes,
                             [now](const auto& interval) { return now >= interval.from && now < interval.until; });
}

VirtualLink::Copy VirtualLink::copy(Time leaves, std::uint32_t length) {
  Copy copy{.at = leaves + impairments_.delay, .length = length};
  if (impairments_.jitter > 0) {
    copy.at += random_() % (impairments_.jitter + 1);
  }
  if (happens(impairments_.reorder)) {
    ++stats_.reordered;
    copy.at += random_() % (impairments_.delay + kLeastReordering);
  }
  if (length > 0 && happens(impairments_.truncate)) {
    ++stats_.truncated;
    copy.length = static_cast<std::uint32_t>(random_() % length);
  }
  if (copy.length > 0 && happens(impairments_.corrupt)) {
    ++stats_.corrupted;
    copy.corrupted = true;
    copy.flipped = static_cast<std::uint32_t>(random_() % (std::uint64_t{8} * copy.length));
  }
  return copy;
}

VirtualLink::Fate VirtualLink::carry(Time now, std::uint32_t length) {
  Fate fate;
  if (impairments_.largest != 0 && length > impairments_.largest) {
    ++stats_.too_large;
    return fate;
  }
  if (in_black_hole(now) || happens(impairments_.loss)) {
    ++stats_.lost;
    return fate;
  }
  Time leaves = now;
  if (const std::uint64_t rate = impairments_.rate; rate != 0) {
    const std::uint64_t size = length + impairments_.overhead;
    const Time wait = busy_until_ > now ? busy_until_ - now : 0;
    const double queued = static_cast<double>(wait) * static_cast<double>(rate) / (8.0 * kSecond);
    if (impairments_.queue != 0 && queued + static_cast<double>(size) > static_cast<double>(impairments_.queue)) {
      ++stats_.queue_drops;
      return fate;
    }
    const std::uint64_t work = size * 8 * kSecond + (wait > 0 ? remainder_ : 0);
    leaves = now + wait + work / rate;
    remainder_ = work % rate;
    busy_until_ = leaves;
  }
  ++stats_.carried;
  fate.copies[fate.count++] = copy(leaves, length);
  if (happens(impairments_.duplicate)) {
    ++stats_.duplicated;
    fate.copies[fate.count++] = copy(leaves, length);
  }
  return fate;
}

void VirtualLink::damage(ByteSpan packet, const Copy& copy) {
  if (copy.corrupted) {
    packet[copy.flipped / 8] ^= static_cast<std::byte>(1U << copy.flipped % 8);
  }
}

}  // namespace waggle::packet
